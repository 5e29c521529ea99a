import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  createHasher,
  type Derivation,
  derivationStorePath,
  FirnError,
  fillOutputPaths,
  narOfFile,
  parseHash,
} from "@firn/formats";
import { type FirnEvent, LocalStore, removePath, Settings, storeLocation } from "@firn/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BuildExecutor } from "./goals/executor.ts";
import { type BuildPathsOptions, buildPaths, queryMissing, sandboxWorks } from "./index.ts";

/** The host's own programs stand in for a closed tool chain. */
const HOST = ["/bin", "/lib", "/lib64?", "/usr"];

let root: string;
let store: LocalStore;
let settings: Settings;
let events: FirnEvent[];

beforeEach(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-build-"));
  fs.chmodSync(root, 0o755);
  store = await LocalStore.open({ location: storeLocation({ rootDir: root }) });
  settings = new Settings();
  settings.set("sandbox-paths", HOST.filter((item) => fs.existsSync(item.replace("?", ""))).join(" "));
  settings.set("substituters", "");
  events = [];
});

afterEach(async () => {
  await store.close();
  removePath(root);
});

interface Recipe {
  readonly script: string;
  /** By default the shell. */
  readonly builder?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly fixed?: string;
}

async function derive(name: string, recipe: Recipe): Promise<{ drvPath: string; derivation: Derivation }> {
  const outputs = recipe.outputs ?? ["out"];
  const env = new Map<string, string>([
    ["PATH", "/bin:/usr/bin"],
    ...outputs.map((output): [string, string] => [output, ""]),
  ]);
  for (const [key, value] of Object.entries(recipe.env ?? {})) env.set(key, value);
  const plain: Derivation = {
    name,
    outputs: new Map(
      outputs.map((output) => [
        output,
        recipe.fixed === undefined
          ? { kind: "deferred" as const }
          : { kind: "fixed" as const, address: { method: "flat" as const, hash: parseHash(recipe.fixed) } },
      ]),
    ),
    inputDrvs: new Map((recipe.inputs ?? []).map((input) => [input, { outputs: ["out"] }])),
    inputSrcs: [],
    system: settings.get("system"),
    builder: recipe.builder ?? "/bin/sh",
    args: ["-ec", recipe.script],
    env,
  };
  const { hashDerivationModulo } = await import("@firn/formats");
  const lookup = (drvPath: string): ReturnType<typeof hashDerivationModulo> =>
    hashDerivationModulo(store.readDerivation(drvPath), { maskOutputs: false, lookup });
  const derivation =
    recipe.fixed === undefined
      ? fillOutputPaths(plain, { lookup })
      : {
          ...plain,
          env: new Map([...env, ["out", (await import("@firn/formats")).derivationOutputPath(plain, "out")!]]),
        };
  const { contents, references } = derivationStorePath(derivation);
  return { drvPath: await store.addTextToStore(`${name}.drv`, contents, references), derivation };
}

function build(
  drvPath: string,
  more: Partial<BuildPathsOptions> = {},
): Promise<readonly { outputs: ReadonlyMap<string, string> }[]> {
  return buildPaths([{ kind: "built", drvPath, outputs: "*" }], {
    store,
    settings,
    events: (event) => events.push(event),
    ...more,
  });
}

const lines = (): string[] => events.flatMap((event) => (event.kind === "build-log" ? [event.line] : []));

describe.skipIf(!sandboxWorks())("building in the sandbox", () => {
  it("runs the builder as user 1000 in a place of its own and registers what it made", async () => {
    const { drvPath } = await derive("probe", {
      script: `id -u; id -g; hostname; pwd; umask; cat /proc/self/uid_map | tr -s ' '; test -t 2 && echo tty; echo $NIX_BUILD_TOP $TMPDIR $HOME; ls /nix/store; echo hello > $out`,
    });
    const [result] = await build(drvPath);
    const out = result!.outputs.get("out")!;
    expect(fs.readFileSync(store.realPath(out), "latin1")).toBe("hello\n");
    const seen = lines().map((line) => line.trim());
    // The one id of the sandbox is this process's user outside, but never the machine's root.
    expect(seen.splice(5, 1)[0]).toMatch(process.getuid?.() === 0 ? /^1000 [1-9][0-9]{5,} 1$/ : /^1000 0 1$/);
    expect(seen).toEqual(["1000", "100", "localhost", "/build", "0022", "tty", "/build /build /homeless-shelter"]);
    expect(await store.queryPathInfo(out)).toMatchObject({ deriver: drvPath, ultimate: true, references: [] });
    expect(fs.readdirSync(`${store.location.stateDir}/builds`)).toEqual([]);
  });

  it("has a control group of its own when it is to, and tells the time that it took", async () => {
    settings.set("experimental-features", "cgroups");
    settings.set("use-cgroups", "true");
    const { drvPath } = await derive("grouped", { script: "grep ^0: /proc/self/cgroup; echo x > $out" });
    const failure: unknown = await build(drvPath).then(
      () => undefined,
      (error: unknown) => error,
    );
    // Where groups cannot be made, that is the error.
    if (failure instanceof FirnError && failure.code === "no-cgroups") return;
    expect(failure).toBeUndefined();
    expect(lines()).toEqual(["0::/"]);
    expect(events).toContainEqual({
      kind: "message",
      level: "debug",
      text: expect.stringMatching(
        `^builder for '${drvPath}' terminated with status 0, user CPU \\d+\\.\\d{3}s, system CPU \\d+\\.\\d{3}s$`,
      ),
    });
  });

  it("sees only its inputs, and finds references in what it made", async () => {
    const dep = await derive("dep", { script: "mkdir $out; echo x > $out/f" });
    await store.addTextToStore("stranger", "x", []);
    const depOut = dep.derivation.env.get("out")!;
    const user = await derive("user", {
      script: `ls /nix/store; mkdir $out $dev; echo ${depOut} > $out/a; echo $out > $dev/b; ! echo x > ${depOut}/g`,
      inputs: [dep.drvPath],
      outputs: ["out", "dev"],
    });
    const missing = await queryMissing([{ kind: "built", drvPath: user.drvPath, outputs: "*" }], { store, settings });
    expect(missing.willBuild).toEqual([dep.drvPath, user.drvPath].sort());
    const [result] = await build(user.drvPath);
    expect(lines()[0]).toBe(depOut.slice("/nix/store/".length));
    const [out, dev] = [result!.outputs.get("out")!, result!.outputs.get("dev")!];
    expect((await store.queryPathInfo(out))!.references).toEqual([depOut]);
    expect((await store.queryPathInfo(dev))!.references).toEqual([out]);
  });

  it("says which builder does not exist", async () => {
    for (const builder of ["/opt/none/bash", "/bin/none/bash"]) {
      const { drvPath } = await derive("none", { script: "", builder });
      await expect(build(drvPath)).rejects.toThrow("Reason: builder failed with exit code 1.");
    }
    expect(lines()).toEqual(["error: executing '/opt/none/bash': No such file or directory", expect.any(String)]);
  });

  it("tells failures in the reference's words and leaves nothing behind", async () => {
    const { drvPath, derivation } = await derive("fail", { script: "echo one; echo two >&2; exit 3" });
    await expect(build(drvPath)).rejects.toThrow(
      `Cannot build '${drvPath}'.\nReason: builder failed with exit code 3.\nOutput paths:\n  ${derivation.env.get("out")}\nLast 2 log lines:\n> one\n> two\nFor full logs, run:\n  nix log ${drvPath}`,
    );
    const user = await derive("user", { script: "true", inputs: [drvPath] });
    await expect(build(user.drvPath)).rejects.toThrow("Reason: 1 dependency failed.");
    expect(fs.readdirSync(store.location.realStoreDir).filter((name) => !name.endsWith(".drv"))).toEqual([".links"]);
    expect(fs.readdirSync(`${store.location.stateDir}/builds`)).toEqual([]);
  });

  it("refuses names that no environment variable can have, and says which", async () => {
    for (const [name, problem] of [
      ["a=b", "the name of the environment variable 'a=b' contains '='"],
      ["", "the name of an environment variable is empty"],
    ] as const) {
      const { drvPath } = await derive("odd", { script: "echo > $out", env: { [name]: "x" } });
      await expect(build(drvPath)).rejects.toThrow(`cannot build '${drvPath}': ${problem}`);
    }
    expect(fs.readdirSync(`${store.location.stateDir}/builds`)).toEqual([]);
  });

  it("refuses a wrong fixed output, names both hashes, and keeps the right one under its own path", async () => {
    const { drvPath } = await derive("fixed", {
      script: "echo hello > $out",
      fixed: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    });
    await expect(build(drvPath)).rejects.toMatchObject({
      exitStatus: 102,
      message: `hash mismatch in fixed-output derivation '${drvPath}':\n  specified: sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n     got:    sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=`,
    });
    const good = await derive("fixed", {
      script: "exit 1",
      fixed: "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=",
    });
    await build(good.drvPath);
  });

  it("gives no setuid bits, no network and no processes of others", async () => {
    const { drvPath } = await derive("closed", {
      script: `touch x; chmod u+s x && exit 1; chmod 755 x; test $$ = 1; grep -c : /proc/net/dev; touch $out`,
    });
    await build(drvPath);
    expect(lines().at(-1)).toBe("1");
  });

  it("builds once what is asked for twice at the same time", async () => {
    const { drvPath } = await derive("once", { script: "sleep 0.5; echo built; touch $out" });
    const second = await LocalStore.open({ location: storeLocation({ rootDir: root }) });
    await Promise.all([build(drvPath), build(drvPath, { store: second })]);
    await second.close();
    expect(lines()).toEqual(["built"]);
  });

  it("stops at once when aborted, without a process, lock or half path", async () => {
    const { drvPath } = await derive("long", { script: "echo started; touch $out; sleep 1000" });
    const controller = new AbortController();
    const running = build(drvPath, {
      signal: controller.signal,
      events: (event) => {
        if (event.kind === "build-log") controller.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: "aborted" });
    expect(fs.readdirSync(store.location.realStoreDir).sort()).toEqual([".links", path.basename(drvPath)]);
    expect(fs.readdirSync(`${store.location.stateDir}/builds`)).toEqual([]);
  });

  it("ends builds that take too long or say nothing", async () => {
    settings.set("timeout", "1");
    const { drvPath } = await derive("slow", { script: "sleep 1000" });
    await expect(build(drvPath)).rejects.toMatchObject({ exitStatus: 101, message: "timed out after 1 seconds" });
  });

  it("checks that a build is repeatable", async () => {
    const same = await derive("same", { script: "echo $out > $out" });
    await build(same.drvPath);
    await build(same.drvPath, { mode: "check" });
    const random = await derive("random", { script: "cat /proc/sys/kernel/random/uuid > $out" });
    await build(random.drvPath);
    await expect(build(random.drvPath, { mode: "check" })).rejects.toThrow("may not be deterministic: output");
  });

  it("keeps going past a failure when told to", async () => {
    settings.set("keep-going", "true");
    const bad = await derive("bad", { script: "exit 1" });
    const good = await derive("good", { script: "sleep 0.3; touch $out" });
    const targets = [bad, good].map(({ drvPath }) => ({ kind: "built" as const, drvPath, outputs: "*" as const }));
    await expect(buildPaths(targets, { store, settings, events: () => {} })).rejects.toThrow(
      "builder failed with exit code 1",
    );
    expect(await store.isValidPath(good.derivation.env.get("out")!)).toBe(true);
  });

  it("refuses a derivation that claims the output path of another", async () => {
    const { derivation } = await derive("victim", { script: "echo good > $out" });
    const forged: Derivation = { ...derivation, args: ["-ec", "echo evil > $out"] };
    const { contents, references } = derivationStorePath(forged);
    const bad = `derivation has incorrect output '${derivation.env.get("out")}', should be '/nix/store/`;
    await expect(store.addTextToStore("victim.drv", contents, references)).rejects.toThrow(bad);
    // One that came into the store by another way is checked when it is built.
    const [drvPath] = await store.addTextsToStore([{ name: "victim.drv", contents, references, computed: true }]);
    await expect(build(drvPath!)).rejects.toThrow(bad);
  });

  it("runs the post-build hook, whose failure is the build's", async () => {
    const hook = path.join(root, "hook");
    fs.writeFileSync(hook, `#!/bin/sh\necho "$DRV_PATH $OUT_PATHS" > ${root}/told; exit 1\n`, { mode: 0o755 });
    settings.set("post-build-hook", hook);
    const { drvPath, derivation } = await derive("hooked", { script: "touch $out" });
    await expect(build(drvPath)).rejects.toThrow(`program '${hook}' failed with exit code 1`);
    expect(fs.readFileSync(path.join(root, "told"), "latin1")).toBe(`${drvPath} ${derivation.env.get("out")}\n`);
  });

  it("shows a builder the paths that the pre-build hook names", async () => {
    const hook = path.join(root, "hook");
    fs.mkdirSync(path.join(root, "shown"));
    fs.writeFileSync(path.join(root, "shown/file"), "shown\n");
    fs.writeFileSync(hook, `#!/bin/sh\nprintf 'extra-sandbox-paths\\n/seen=${root}/shown\\n\\n'\n`, { mode: 0o755 });
    settings.set("pre-build-hook", hook);
    const { drvPath, derivation } = await derive("seeing", { script: "cat /seen/file > $out" });
    await build(drvPath);
    expect(fs.readFileSync(store.realPath(derivation.env.get("out")!), "latin1")).toBe("shown\n");
    fs.writeFileSync(hook, `#!/bin/sh\necho nonsense\n`);
    const other = await derive("other", { script: "touch $out" });
    await expect(build(other.drvPath)).rejects.toThrow("unknown pre-build hook command 'nonsense'");
  });

  it("shows the difference of two builds by the diff hook, whose failure changes nothing", async () => {
    const hook = path.join(root, "hook");
    fs.writeFileSync(hook, `#!/bin/sh\necho "from $1 to $2 of $3"; diff "$1" "$2" >&2; exit 1\n`, { mode: 0o755 });
    const { drvPath, derivation } = await derive("random", { script: "cat /proc/sys/kernel/random/uuid > $out" });
    await build(drvPath);
    settings.set("diff-hook", hook);
    const message = `derivation '${drvPath}' may not be deterministic`;
    await expect(build(drvPath, { mode: "check" })).rejects.toThrow(message);
    expect(events.filter((event) => event.kind === "message" && event.level !== "chatty")).toEqual([]);
    settings.set("run-diff-hook", "true");
    await expect(build(drvPath, { mode: "check" })).rejects.toThrow(message);
    const failed = { kind: "message", level: "error", text: expect.stringContaining("failed with exit code 1") };
    expect(events).toContainEqual(failed);
    const real = store.realPath(derivation.env.get("out")!);
    expect(fs.existsSync(`${real}.check`)).toBe(true);
    fs.writeFileSync(hook, `#!/bin/sh\necho "from $1 to $2 of $3"\n`);
    await expect(build(drvPath, { mode: "check" })).rejects.toThrow(message);
    expect(events).toContainEqual({
      kind: "message",
      level: "error",
      text: `from ${real} to ${real}.check of ${drvPath}`,
    });
  });

  it("has derivations built by the executor that it is given, inputs first", async () => {
    const dep = await derive("dep", { script: "exit 1" });
    const user = await derive("user", { script: "exit 1", inputs: [dep.drvPath] });
    const order: string[] = [];
    const executor: BuildExecutor = {
      async build({ drvPath, derivation, inputs, onStart }) {
        onStart();
        order.push(drvPath);
        const out = derivation.env.get("out")!;
        if (drvPath === user.drvPath) expect(inputs).toContain(dep.derivation.env.get("out"));
        const nar = [...narOfFile(Buffer.from("made elsewhere"))];
        const hasher = createHasher("sha256");
        for (const chunk of nar) hasher.update(chunk);
        const narSize = nar.reduce((size, chunk) => size + chunk.length, 0);
        const narHash = { algorithm: "sha256" as const, bytes: hasher.digest() };
        await store.addToStore({ path: out, narHash, narSize, references: [], signatures: [] }, nar);
        return new Map([["out", out]]);
      },
    };
    const [result] = await build(user.drvPath, { executor });
    expect(order).toEqual([dep.drvPath, user.drvPath]);
    const out = result!.outputs.get("out")!;
    expect(fs.readFileSync(store.realPath(out), "latin1")).toBe("made elsewhere");
    expect(events.filter(({ kind }) => kind === "build-end")).toHaveLength(2);
  });

  it("leaves no process behind when it is killed", async () => {
    const { drvPath } = await derive("orphan", { script: "echo pid; sleep 98765" });
    const file = path.join(root, "child.ts");
    const index = (name: string): string => new URL(`../../${name}/src/index.ts`, import.meta.url).pathname;
    fs.writeFileSync(
      file,
      `import { LocalStore, Settings, storeLocation } from ${JSON.stringify(index("store"))};
import { buildPaths } from ${JSON.stringify(index("build"))};
const store = await LocalStore.open({ location: storeLocation({ rootDir: ${JSON.stringify(root)} }) });
const settings = new Settings();
settings.set("sandbox-paths", ${JSON.stringify(settings.textOf("sandbox-paths"))});
await buildPaths([{ kind: "built", drvPath: ${JSON.stringify(drvPath)}, outputs: "*" }], {
  store, settings, events: (event) => { if (event.kind === "build-log") process.kill(process.pid, "SIGKILL"); },
});`,
    );
    const { spawnSync } = await import("node:child_process");
    expect(spawnSync(process.execPath, [file]).signal).toBe("SIGKILL");
    const sleeping = (): string[] =>
      fs.readdirSync("/proc").filter((pid) => {
        try {
          return /^[0-9]+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("98765");
        } catch {
          return false;
        }
      });
    for (let i = 0; i < 50 && sleeping().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sleeping()).toEqual([]);

    // What it left is collected, but not what a build that goes on works in.
    const builds = `${store.location.stateDir}/builds`;
    expect(fs.readdirSync(builds)).toHaveLength(1);
    const other = await derive("other", { script: "echo started; sleep 1; echo x > $out" });
    const started = Promise.withResolvers<void>();
    const going = build(other.drvPath, {
      events: (event) => {
        if (event.kind === "build-log") started.resolve();
      },
    });
    await started.promise;
    await store.collectGarbage({ action: "delete-dead" });
    expect(fs.readdirSync(builds)).toHaveLength(1);
    await going;
    expect(fs.readdirSync(builds)).toEqual([]);
    await expect(build(drvPath, { signal: AbortSignal.timeout(500) })).rejects.toMatchObject({ code: "aborted" });
  });

  it("loses nothing to garbage collections beside it", async () => {
    const dep = await derive("dep", { script: "mkdir $out; echo x > $out/f" });
    const user = await derive("user", {
      script: `for i in 1 2 3 4 5 6 7 8; do cat ${dep.derivation.env.get("out")}/f; sleep 0.1; done; echo ${dep.derivation.env.get("out")} > $out`,
      inputs: [dep.drvPath],
    });
    const file = path.join(root, "child.ts");
    const index = new URL("../../store/src/index.ts", import.meta.url).pathname;
    fs.writeFileSync(
      file,
      `import { LocalStore, storeLocation } from ${JSON.stringify(index)};
const store = await LocalStore.open({ location: storeLocation({ rootDir: ${JSON.stringify(root)} }) });
await store.addTextToStore("garbage", "x", []);
await store.close();
const again = await LocalStore.open({ location: storeLocation({ rootDir: ${JSON.stringify(root)} }) });
for (let i = 0; i < 5; i++) await again.collectGarbage({ action: "delete-dead" });
if (await again.isValidPath((await again.queryAllValidPaths()).find((path) => path.endsWith("-garbage")) ?? "")) process.exit(3);
await again.close();`,
    );
    const { spawn } = await import("node:child_process");
    const collector = spawn(process.execPath, [file], { stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => collector.on("exit", resolve));
    const [result] = await build(user.drvPath);
    expect(await ended).toBe(0);
    const out = result!.outputs.get("out")!;
    expect(await store.isValidPath(out)).toBe(true);
    expect((await store.queryPathInfo(out))!.references).toEqual([dep.derivation.env.get("out")]);
    expect(fs.existsSync(store.realPath(dep.derivation.env.get("out")!))).toBe(true);
  });
});

describe("the order of builds", () => {
  it("is that of their names for those that are ready together, and the first failure is the only one told", async () => {
    const leaf = (name: string): ReturnType<typeof derive> => derive(name, { script: "exit 1" });
    const [slow, fast] = [await leaf("slow"), await leaf("fast")];
    const onSlow = await derive("a-user-of-slow", { script: "true", inputs: [slow.drvPath] });
    const onFast = await derive("b-user-of-fast", { script: "true", inputs: [fast.drvPath] });
    const wanted = [slow, onSlow, onFast, fast].map(({ drvPath }) => drvPath);
    const begun: string[] = [];
    const executor: BuildExecutor = {
      async build({ derivation, drvPath }) {
        begun.push(derivation.name);
        throw new FirnError("build-failed", `Cannot build '${drvPath}'.`, { exitStatus: 100 });
      },
    };
    const attempt = buildPaths(
      wanted.map((drvPath) => ({ kind: "built", drvPath, outputs: "*" })),
      { store, settings, events: (event) => events.push(event), executor },
    );
    await expect(attempt).rejects.toThrow(new RegExp(`^Cannot build '${fast.drvPath}'\\.$`));
    expect(begun).toEqual(["fast", "slow"]);
  });
});
