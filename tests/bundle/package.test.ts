import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { debMirrors, loadSettings } from "@firn/store";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { zipOf } from "../support/archives.ts";
import { runInBrowser } from "../support/browser.ts";
import { examplesOf, outputClaims } from "../support/page-examples.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const examples = examplesOf(readFileSync(join(root, "docs/library.md"), "utf8"));
const oldNode = ["/usr/bin/node", "/usr/local/bin/node"].find(
  (path) => existsSync(path) && Number(execFileSync(path, ["-p", "process.versions.node.split('.')[0]"])) < 24,
);
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
    mkdirSync(project());
    writeFileSync(join(project(), "package.json"), '{ "private": true, "type": "module" }\n');
    const install = [
      "install",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--omit=optional",
      join(directory, tarball),
    ];
    execFileSync("npm", install, { cwd: project(), stdio: "ignore" });
    environment = {
      PATH: `${join(directory, "prefix/bin")}:${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: join(directory, "home"),
      NIX_REMOTE: join(directory, "root"),
      NIX_CONFIG: "substituters =\nflake-registry =\n",
    };
  }, 300_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** A project that has the package installed and nothing else. */
  const project = (): string => join(directory, "project");

  const firn = (...args: string[]): string =>
    execFileSync("firn", args, {
      cwd: join(directory, "empty"),
      env: environment,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 600_000,
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

  test("has the pages of all commands, under each name it is called by", () => {
    expect(firn("help")).toContain("perform garbage collection on a Nix store");
    expect(firn("help", "build")).toContain("Usage: firn build");
    const program = join(directory, "prefix/lib/node_modules/firn-nix/dist/firn.mjs");
    for (const name of ["nix", "nix-store"]) symlinkSync(program, join(directory, "empty", name));
    const linked = (name: string, ...args: string[]): string =>
      execFileSync(join(directory, "empty", name), args, { env: environment, encoding: "utf8" });
    expect(linked("nix", "help", "build")).toContain("Usage: nix build");
    expect(linked("nix-store", "--help")).toContain("Usage: nix-store");
  });

  describe.skipIf(oldNode === undefined)("on an older Node.js", () => {
    const run = (home: string) =>
      spawnSync(oldNode ?? "", [join(home, "node_modules/firn-nix/dist/firn.mjs"), "eval", "--expr", "1 + 1"], {
        env: environment,
        encoding: "utf8",
      });

    test("says which one it needs", () => {
      const { engines } = JSON.parse(readFileSync(join(project(), "node_modules/firn-nix/package.json"), "utf8")) as {
        engines: { node: string };
      };
      const { status, stdout, stderr } = run(project());
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/^firn: Node\.js [^\n]*\n$/);
      expect(stderr).toContain(`Node.js ${engines.node.slice(">=".length)} or later is needed`);
    });

    test("runs on the one of an npm package beside it", () => {
      const place = join(project(), "node_modules", `node-linux-${process.arch}`);
      mkdirSync(join(place, "bin"), { recursive: true });
      writeFileSync(join(place, "package.json"), "{}");
      symlinkSync(process.execPath, join(place, "bin/node"));
      try {
        expect(run(project())).toMatchObject({ status: 0, stdout: "2\n" });
      } finally {
        rmSync(place, { recursive: true });
      }
    });
  });

  test("the page about the library has its three examples", () => {
    expect(examples.length).toBe(3);
  });

  test.each(examples.map((code, index) => [index + 1, code] as const))(
    "example %i of the library runs and prints what it says",
    (number, code) => {
      const file = join(project(), `example-${number}.ts`);
      writeFileSync(file, code);
      const printed = execFileSync(process.execPath, [file], { cwd: project(), encoding: "utf8" });
      expect(printed.trimEnd().split("\n")).toEqual(outputClaims(code));
    },
  );

  test.each(["nodenext", "bundler"])("the examples of the library have types with %s", (resolution) => {
    for (const [index, code] of examples.entries()) writeFileSync(join(project(), `example-${index + 1}.ts`), code);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      target: "es2024",
      lib: ["es2024", "dom"],
      module: resolution === "nodenext" ? "nodenext" : "esnext",
      moduleResolution: resolution,
      types: [],
    };
    writeFileSync(join(project(), "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["--project", project()], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  });

  test("each part of the library bundles for the browser and runs there", async () => {
    for (const code of examples) {
      const { outputFiles } = await build({
        stdin: { contents: code, resolveDir: project(), loader: "ts" },
        bundle: true,
        write: false,
        minify: true,
        platform: "browser",
        format: "esm",
        target: "es2024",
      });
      const script = outputFiles[0]?.text ?? "";
      expect(script.length).toBeLessThan(600_000);
      expect(await runInBrowser(script)).toEqual(outputClaims(code));
    }
  });

  test("formats loads neither the language nor anything of Node.js", () => {
    const code = `
      import { registerHooks } from "node:module";
      const loaded = [];
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
      await import("firn-nix/formats");
      console.log(JSON.stringify({ loaded, native: process.moduleLoadList.filter((m) => /undici|sqlite/.test(m)) }));`;
    const { loaded, native } = JSON.parse(
      execFileSync(process.execPath, ["--input-type=module", "--eval", code], { cwd: project(), encoding: "utf8" }),
    ) as { loaded: string[]; native: string[] };
    expect(native).toEqual([]);
    expect(loaded.length).toBeGreaterThan(0);
    expect(loaded.length).toBeLessThanOrEqual(2);
    for (const url of loaded) expect(url).toContain("/firn-nix/library/");
  });

  test("locks and calls a flake in a directory of one's own", () => {
    const flake = join(directory, "flake");
    mkdirSync(flake);
    writeFileSync(join(flake, "flake.nix"), "{ outputs = { self }: { value = 42; }; }\n");
    expect(firn("eval", `path:${flake}#value`).trim()).toBe("42");
  });

  test.each([
    ["os", "firn"],
    ["os-desktop", "desk"],
  ])("makes a machine's flake from the template %s, and plans it, for an ordinary user", (template, name) => {
    const place = join(directory, `user-${template}`);
    for (const part of ["", "home", "machine"]) mkdirSync(join(place, part));
    // A user who may write nothing else, where that can be had.
    const ids = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;
    chmodSync(directory, 0o755);
    if (ids !== undefined) for (const part of ["", "home", "machine"]) chownSync(join(place, part), ids.uid, ids.gid);
    const run = (...args: string[]) =>
      spawnSync("firn", args, {
        cwd: join(place, "machine"),
        env: { ...environment, HOME: join(place, "home"), NIX_REMOTE: join(place, "root") },
        encoding: "utf8",
        ...ids,
      });
    expect(run("flake", "init", "-t", `firn#${template}`)).toMatchObject({ status: 0 });
    const { status, stdout, stderr } = run("os", "build", "--dry-run", "--flake", `.#${name}`);
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^/nix/store/\\w{32}-firn-system-${name}-0\\.1\\.bookworm\\.drv$`, "m"));
  });

  test("unpacks zip archives", () => {
    const file = join(directory, "x.zip");
    writeFileSync(file, zipOf([{ name: "top/a", body: "hi" }]));
    const text = `builtins.readFile (builtins.fetchTarball "file://${file}" + "/a")`;
    expect(firn("eval", "--raw", "--impure", "--expr", text)).toBe("hi");
  });

  test("serves clients as a daemon", async () => {
    const socket = join(directory, "socket");
    const daemon = spawn("firn", ["daemon"], {
      env: { ...environment, NIX_DAEMON_SOCKET_PATH: socket },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said: string[] = [];
    daemon.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
    try {
      await expect.poll(() => existsSync(socket), { timeout: 60_000 }).toBe(true);
      expect(JSON.parse(firn("store", "info", "--json", "--store", `unix://${socket}`))).toMatchObject({
        trusted: true,
      });
      expect(firn("store", "add", "--store", `unix://${socket}`, "/etc/hostname")).toMatch(
        /^\/nix\/store\/.*-hostname\n$/,
      );
    } finally {
      daemon.kill();
      await once(daemon, "exit");
    }
    expect(said.join("")).toContain("accepted connection from pid ");
  }, 120_000);

  test.skipIf(!hasMirror)(
    "runs a program of Debian's from an empty directory",
    () => {
      expect(firn("run", "deb#hello", "--", "-g", "packed")).toBe("packed\n");
      expect(firn("run", "deb#hello", "--", "-g", "again")).toBe("again\n");
    },
    600_000,
  );
});
