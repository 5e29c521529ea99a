import { expect, test } from "vitest";
import { argumentsFile, escapeFstab } from "./sandbox.ts";

test("a field of an fstab is one field, whatever bytes the path has", () => {
  const every = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1)).join("");
  const field = escapeFstab(`/${every}`);
  expect(field).toMatch(/^[!-~]+$/);
  expect(field).not.toContain("#");
  const read = field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  expect(read).toBe(`/${every}`);
  expect(() => escapeFstab("/a\0b")).toThrow("null byte");
});

test("bubblewrap's arguments are those that were meant", () => {
  expect(argumentsFile(new Map([["a", "b"]]), ["--bind", "/x", "/y"]).toString()).toBe(
    "--bind\0/x\0/y\0--proc\0/proc\0--remount-ro\0/\0--clearenv\0--setenv\0a\0b\0",
  );
  const words = "x\0--bind\0/home\0/home";
  expect(() => argumentsFile(new Map([["a", words]]), [])).toThrow("null byte");
  expect(() => argumentsFile(new Map([[words, "a"]]), [])).toThrow("null byte");
  expect(() => argumentsFile(new Map(), ["--bind", words, "/y"])).toThrow("null byte");
  expect(() => argumentsFile(new Map([["A=B", ""]]), [])).toThrow("'A=B' contains '='");
  expect(() => argumentsFile(new Map([["", ""]]), [])).toThrow("is empty");
});
