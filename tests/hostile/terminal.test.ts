/** What strangers wrote does not steer the terminal of who reads it. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
  place.environment.NIX_CONFIG = "substituters =\nflake-registry =\nsandbox-paths = /bin /usr /lib /lib64?\n";
});
afterEach(() => removePath(place.directory));

/** Runs the command line on a terminal and gives all that the terminal got. */
function onTerminal(...args: string[]): string {
  const words = [process.execPath, "--disable-warning=ExperimentalWarning", main, ...args];
  const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const { status, stdout, error } = spawnSync("script", ["-qec", command, "/dev/null"], {
    cwd: join(place.directory, "work"),
    env: { ...place.environment, TERM: "xterm", SHELL: "/bin/sh" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error !== undefined) throw error;
  expect(status).not.toBeNull();
  return stdout.toString("latin1").replaceAll("\r\n", "\n");
}

/** Whether a text has nothing that a terminal obeys, but for colours and what moves the cursor over our own live lines. */
function isHarmless(text: string): boolean {
  return !/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/.test(text.replace(/\x1b\[(?:[0-9;:]*m|[0-9]+A\x1b\[J)/g, ""));
}

const hostile = "\\u001b]0;title\\u0007\\u001b[2J\\u001b[1;1H\\u001b[31mred\\u0008\\u009b5n\\u007f";

test("strings, traces and errors of an evaluation", async () => {
  writeFileSync(
    join(place.directory, "work/x.nix"),
    `let s = builtins.fromJSON ''"${hostile}"''; in { inherit s; t = builtins.trace s 1; e = throw s; }\n`,
  );
  for (const args of [["s", "--raw"], ["s"], ["t"], ["e"]]) {
    const shown = onTerminal("eval", "-f", "x.nix", ...args);
    expect(shown).toContain("red");
    expect(isHarmless(shown)).toBe(true);
  }
  const { out } = await place.firn("eval", "-f", "x.nix", "--raw", "s");
  expect(out).toBe(JSON.parse(`"${hostile}"`));
});

test("descriptions of a flake", () => {
  writeFileSync(
    join(place.directory, "work/flake.nix"),
    `{ description = "evil ${hostile.replace(/\\u00(..)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))}"; outputs = _: { lib.a = 1; }; }\n`,
  );
  for (const command of ["metadata", "show"]) {
    const shown = onTerminal("flake", command, "path:.");
    expect(isHarmless(shown)).toBe(true);
  }
});

const script = `printf 'a\\tb \\033[31mred\\033[0m \\033[2J\\033]0;title\\007 cr1\\rcr2\\n\\033[1;2Hpos\\n\\001\\002 ctl\\n \\033(B sel \\033c reset\\n'; exit 1`;

test.skipIf(!sandboxWorks())("logs of builds", async () => {
  writeFileSync(
    join(place.directory, "work/x.nix"),
    `derivation { name = "esc"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" ''${script}'' ]; }\n`,
  );
  const shown = onTerminal("build", "-L", "--no-link", "-f", "x.nix");
  expect(shown).toContain("esc> pos");
  expect(isHarmless(shown)).toBe(true);
  expect(isHarmless(onTerminal("log", "-f", "x.nix"))).toBe(true);
  const { err } = await place.firn("build", "-L", "--no-link", "-f", "x.nix");
  // What the reference shows of this log.
  expect(err.split("\n").filter((line) => line.startsWith("esc> "))).toEqual([
    "esc> cr2",
    "esc> pos",
    "esc> \x01\x02 ctl",
    "esc>  (B sel c reset",
  ]);
  expect((await place.firn("log", "-f", "x.nix")).out).toContain("\x1b[2J");
});
