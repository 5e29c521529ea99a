/** Machines that are not well: a disk without a byte free, homes that cannot be written, a store that can only be read. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

const at = (...names: string[]): string => join(place.directory, ...names);

/** A private mount namespace, as root or as anybody. */
const UNSHARE = ["unshare", ...(process.getuid?.() === 0 ? [] : ["-r"]), "-m", "--propagation", "private"];
const mounts = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

/** What a shell script says, in which `firn` is the command line. */
function script(text: string, environment: Record<string, string | undefined> = {}): string {
  const firn = `${process.execPath} --disable-warning=ExperimentalWarning ${main}`;
  const { stdout, status, signal } = spawnSync(
    UNSHARE[0]!,
    [...UNSHARE.slice(1), "sh", "-c", `exec 2>&1\nfirn() { ${firn} "$@"; echo "status $?"; }\n${text}`],
    {
      cwd: at("work"),
      env: { ...place.environment, ...environment },
      encoding: "utf8",
      // A program that does not end would keep the test from telling which one it was.
      timeout: 60_000,
    },
  );
  expect([status, signal], stdout).toEqual([0, null]);
  return stdout;
}

describe.skipIf(!mounts)("a machine", () => {
  test("whose disk has not a byte free can still be freed", () => {
    writeFileSync(at("work/f"), Buffer.alloc(300_000, 7));
    mkdirSync(at("root"));
    const out = script(`mount -t tmpfs -o size=16m tmpfs ${at("root")}
firn store add f > /dev/null
cat /dev/zero > ${at("root/filler")} 2> /dev/null
echo "[add]"; firn store add --name g f
echo "[gc]"; firn store gc
echo "[left]"; ls ${at("root/nix/store")}; firn store verify --all --no-trust
`);
    expect(out).toMatch(
      /\[add\]\nerror: [\s\S]*status 1\n\[gc\]\n[\s\S]*\n1 store paths deleted, [\s\S]*status 0\n\[left\]\nstatus 0\n$/,
    );
  });

  test("whose disk is smaller than the space that is kept for the garbage collector has a store", () => {
    writeFileSync(at("work/f"), "hello");
    mkdirSync(at("root"));
    const out = script(`mount -t tmpfs -o size=4m tmpfs ${at("root")}
firn store add f
firn store verify --all
`);
    expect(out).toMatch(/^\/nix\/store\/\S+-f\nstatus 0\n(?:checking [^\n]*\n)?status 0\n$/);
  });

  test("whose store can only be read shows and evaluates what is there, and copies from it", () => {
    writeFileSync(at("work/f"), "hello");
    mkdirSync(at("root"));
    const out = script(`mount -t tmpfs tmpfs ${at("root")}
path=$(firn store add f | head -n 1)
mount -o remount,ro ${at("root")}
echo "[info]"; firn path-info $path
echo "[eval]"; firn eval --expr 'builtins.length [ 1 2 ]'
echo "[read]"; firn eval --impure --raw --expr "builtins.readFile $path"
echo "[copy]"; firn copy --from ${at("root")} --to file://${at("cache")} $path; ls ${at("cache")} | grep -c narinfo
echo "[add]"; firn store add --name g f
`);
    expect(out).toMatch(
      /\[info\]\n\/nix\/store\/\S+-f\nstatus 0\n\[eval\]\n2\nstatus 0\n\[read\]\nhellostatus 0\n\[copy\]\n/,
    );
    expect(out).toMatch(/\[copy\]\ncopying 1 paths\.\.\.\ncopying path [^\n]*\nstatus 0\n1\n/);
    expect(out).toMatch(/\[add\]\nerror: opening lock file ".*\.lock": Read-only file system\n[\s\S]*status 1/);
  });

  test.each([
    ["below /proc", "/proc"],
    ["missing", "/nonexistent/home"],
    ["relative", "relative"],
    ["empty", ""],
    ["unset", undefined],
  ])("with a home that is %s works without it, and says so where it cannot", (_what, home) => {
    const environment: Record<string, string | undefined> = { HOME: home };
    const out = script(
      `firn eval --expr 1+1
firn config show cores
firn registry list
firn profile list
${home === "/proc" ? "firn registry add a path:/x\nfirn eval --impure --expr 'builtins.fetchTarball \"file:///none\"'" : ""}`,
      environment,
    );
    expect(out).toMatch(/^2\nstatus 0\n0\nstatus 0\n[\s\S]*status 0\n[\s\S]*status 0\n/);
    expect(out).not.toContain("internal error");
    if (home === "/proc")
      expect(out).toMatch(
        /error: creating directory "\/proc\/\.config": No such file or directory\nstatus 1\nerror:[\s\S]*set XDG_CACHE_HOME[\s\S]*status 1\n$/,
      );
  });
});
