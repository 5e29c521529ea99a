import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { debMirrors, loadSettings } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { zipOf } from "../support/archives.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const hasMirror = debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");

describe("the published package", () => {
  let directory: string;
  let environment: NodeJS.ProcessEnv;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "firn-package-"));
    mkdirSync(join(directory, "home"));
    mkdirSync(join(directory, "empty"));
    execFileSync(process.execPath, [join(root, "scripts/bundle.ts")], { stdio: "ignore" });
    const [tarball = ""] = execFileSync("npm", ["pack", "--pack-destination", directory], {
      cwd: join(root, "dist/package"),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    })
      .trim()
      .split("\n")
      .slice(-1);
    // No compiler is needed: native modules come with their binaries, and install scripts do not run.
    execFileSync(
      "npm",
      [
        "install",
        "--global",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefix",
        join(directory, "prefix"),
        join(directory, tarball),
      ],
      { stdio: "ignore" },
    );
    environment = {
      PATH: `${join(directory, "prefix/bin")}:${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: join(directory, "home"),
      NIX_REMOTE: join(directory, "root"),
      NIX_CONFIG: "substituters =\nflake-registry =\n",
    };
  }, 300_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const firn = (...args: string[]): string =>
    execFileSync("firn", args, {
      cwd: join(directory, "empty"),
      env: environment,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });

  test("answers, helps and evaluates, with nothing of the checkout", () => {
    expect(firn("--version")).toMatch(/^firn \(Nix\) 2\.34/);
    expect(firn("store", "gc", "--help")).toContain("Deletes every store path that no root keeps alive");
    expect(firn("eval", "--expr", '(derivation { name = "x"; system = "s"; builder = "b"; }).drvPath')).toMatch(
      /\/nix\/store\/.*-x\.drv/,
    );
    for (const name of readdirSync(join(directory, "prefix/lib/node_modules/firn-nix")))
      expect(name).not.toBe("packages");
  });

  test("locks and calls a flake in a directory of one's own", () => {
    const flake = join(directory, "flake");
    mkdirSync(flake);
    writeFileSync(join(flake, "flake.nix"), "{ outputs = { self }: { value = 42; }; }\n");
    expect(firn("eval", `path:${flake}#value`).trim()).toBe("42");
  });

  test("unpacks zip archives", () => {
    const file = join(directory, "x.zip");
    writeFileSync(file, zipOf([{ name: "top/a", body: "hi" }]));
    const text = `builtins.readFile (builtins.fetchTarball "file://${file}" + "/a")`;
    expect(firn("eval", "--raw", "--impure", "--expr", text)).toBe("hi");
  });

  test.skipIf(!hasMirror)(
    "runs a program of Debian's from an empty directory",
    () => {
      expect(firn("run", "deb#hello", "--", "-g", "packed")).toBe("packed\n");
      expect(firn("run", "deb#hello", "--", "-g", "again")).toBe("again\n");
    },
    600_000,
  );
});
