import { FirnError } from "@firn/formats";
import { describe, expect, test } from "vitest";
import { isExecutable } from "./executable.ts";
import { becomeProgram, runProgramSync, startProgram } from "./start.ts";

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof FirnError && error.code === "bad-program-argument") return error.message;
    throw error;
  }
  return "started";
}

describe.each([
  ["startProgram", startProgram],
  ["runProgramSync", runProgramSync],
])("%s", (_name, start) => {
  test.each([
    ["the name of the program is empty", "", [], {}],
    ["the name of the program contains a null byte", "a\0b", [], {}],
    ["argument 2 contains a null byte", "true", ["x", "a\0--bind"], {}],
    ["argument 0 contains a null byte", "true", [], { argv0: "a\0" }],
    ["the directory to start in contains a null byte", "true", [], { cwd: "/\0" }],
    ["the name of an environment variable is empty", "true", [], { env: { "": "x" } }],
    ["the name of the environment variable 'A=B' contains '='", "true", [], { env: { "A=B": "x" } }],
    ["the name of the environment variable 'A␀B' contains a null byte", "true", [], { env: { "A\0B": "x" } }],
    ["the value of the environment variable 'A' contains a null byte", "true", [], { env: { A: "secret\0" } }],
  ])("refuses: %s", (what, program, args, options) => {
    expect(refusal(() => start(program, args, { stdio: "ignore", ...options }))).toBe(
      `cannot start '${program.replaceAll("\0", "␀")}': ${what}`,
    );
  });
});

test("becomeProgram refuses before this process is replaced", () => {
  expect(refusal(() => becomeProgram("/bin/true", ["true", "a\0"], {}))).toContain("argument 1 contains a null byte");
  expect(refusal(() => becomeProgram("/bin/true", ["true"], { "A=B": "" }))).toContain("'A=B' contains '='");
});

test("what the kernel refuses at once is an error of ours", () => {
  const huge = "x".repeat(1 << 22);
  expect(() => startProgram("true", [huge], { stdio: "ignore" })).toThrow(FirnError);
});

test("a program gets its arguments and variables", () => {
  const { stdout } = runProgramSync("sh", ["-c", 'echo "$1 $A"', "sh", "a=b"], {
    env: { A: "c", B: undefined, PATH: process.env.PATH },
  });
  expect(stdout.toString()).toBe("a=b c\n");
});

test.each([
  [process.execPath, true],
  ["/bin/sh", true],
  ["/etc/passwd", false],
  ["/bin", false],
  ["/nowhere", false],
])("the kernel certainly runs %s: %s", (path, runs) => {
  expect(isExecutable(path)).toBe(runs);
});
