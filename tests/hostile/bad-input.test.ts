/** What strangers send, and a machine that has had enough: told on standard error with status 1, and nothing half-done is left. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { debOf, hostileNars, hostileTars, hostileZips, narInfo, tarOf } from "../support/archives.ts";
import { main } from "../support/program.ts";
import { makePlace, type Outcome, type Place, runProgram } from "../support/run-firn.ts";

let place: Place;

beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

const at = (...names: string[]): string => join(place.directory, ...names);

/** The store verifies, and only paths lie in it. */
async function checkStore(): Promise<void> {
  expect((await place.firn("store", "verify", "--all", "--no-trust")).code).toBe(0);
  const names = readdirSync(at("root/nix/store"));
  expect(names.filter((name) => /\.(?:lock|chroot|tmp-.*)$/.test(name))).toEqual([]);
  const builds = at("root/nix/var/nix/builds");
  expect(existsSync(builds) ? readdirSync(builds) : []).toEqual([]);
}

/** Builds a derivation of these attributes. */
function build(attributes: string, ...args: string[]): Promise<Outcome> {
  writeFileSync(at("work/x.nix"), `derivation { name = "x"; system = builtins.currentSystem; ${attributes} }\n`);
  return place.firn("build", "--no-link", "-f", "x.nix", ...args);
}

const NO_HASH = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const fetched = (url: string): string =>
  `builder = "builtin:fetchurl"; url = "${url}"; outputHash = "${NO_HASH}"; outputHashMode = "flat";`;

describe("a download", () => {
  test("with the wrong contents tells both hashes in the reference's words", async () => {
    writeFileSync(at("work/f"), "hi\n");
    const { code, err } = await build(fetched(`file://${at("work/f")}`));
    expect(code).toBe(1);
    expect(err).toMatch(
      /error: hash mismatch in fixed-output derivation '\/nix\/store\/[^']*-x\.drv':\n {9}specified: sha256-A{43}=\n {12}got: {4}sha256-mOpuTyFvL7S2n\/\+bOkSELDhobKaF8\/VdxIxdP7EQe\+Q=/,
    );
    await checkStore();
  });

  test("that is missing, or whose mirror nobody knows, says so and what to set", async () => {
    const missing = await build(fetched(`file://${at("work/none")}`));
    expect(missing).toMatchObject({
      code: 1,
      err: expect.stringContaining(`unable to download 'file://${at("work/none")}'`),
    });
    const unknown = await build(fetched("mirror://nowhere/x"));
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining("there is no mirror list 'nowhere'") });
    const none = await build(
      fetched("mirror://debian/x"),
      "--option",
      "deb-mirrors",
      "debian-security=http://localhost:1",
    );
    expect(none.code).toBe(1);
    expect(none.err).toContain("cannot download 'mirror://debian/x': no mirror of 'debian' is known");
    expect(none.err).toContain("set deb-mirrors in nix.conf: deb-mirrors = debian=URL");
    await checkStore();
  });
});

describe("a binary cache", () => {
  const storePath = "/nix/store/1f69s68jr1rqi01cz4m3v3j6kc04v4sr-x";
  const using = (...args: string[]): string[] => ["--option", "substituters", `file://${at("cache")}`, ...args];

  function makeCache(nar: Buffer, info: string): void {
    mkdirSync(at("cache/nar"), { recursive: true });
    writeFileSync(at("cache/nix-cache-info"), "StoreDir: /nix/store\n");
    writeFileSync(at("cache/1f69s68jr1rqi01cz4m3v3j6kc04v4sr.narinfo"), info);
    writeFileSync(at("cache/nar/x.nar"), nar);
  }

  test.each(hostileNars)("whose archive %s is refused", async (_name, nar, message) => {
    makeCache(nar, narInfo(storePath, nar));
    const { code, err } = await place.firn(
      "build",
      "--no-link",
      storePath,
      ...using("--option", "require-sigs", "false"),
    );
    expect([code, err]).toEqual([1, expect.stringContaining(message)]);
    expect(err).not.toContain("internal error");
    expect((await place.firn("path-info", storePath)).code).toBe(1);
    expect(existsSync(at("root/nix/store/1f69s68jr1rqi01cz4m3v3j6kc04v4sr-x"))).toBe(false);
    await checkStore();
  });

  test("without a signature, with one of a stranger and with a broken one is not believed", async () => {
    writeFileSync(at("work/f"), "hello");
    const path = (await place.firn("store", "add", "f")).out.trim();
    const other = { NIX_REMOTE: at("second") };
    const key = (await place.firn("key", "generate-secret", "--key-name", "good-1")).out.trim();
    writeFileSync(at("key"), key);
    const publicKey = (await place.firnWith({ input: key }, "key", "convert-secret-to-public")).out.trim();
    // An input-addressed path needs a signature; what `store add` made is its own proof.
    const drv = await build(`builder = "builtin:unpack-deb"; src = builtins.toFile "x.deb" "no"; dep = "${path}";`);
    expect(drv.code).toBe(1);
    writeFileSync(at("ok.deb"), debOf(tarOf([{ name: "f", body: "x" }])));
    const built = await build(
      `builder = "builtin:unpack-deb"; src = ${at("ok.deb")};`,
      "--impure",
      "--print-out-paths",
    );
    expect(built).toMatchObject({ code: 0 });
    const out = built.out.trim();
    expect((await place.firn("copy", "--to", `file://${at("cache")}`, out)).code).toBe(0);
    const fetch = (keys: string): Promise<Outcome> =>
      place.firnWith({ env: other }, "build", "--no-link", out, ...using("--option", "trusted-public-keys", keys));
    const refused = (outcome: Outcome): void => {
      expect(outcome.code).toBe(1);
      expect(outcome.err).toContain(
        `ignoring substitute for '${out}' from 'file://${at("cache")}', as it's not signed by any of the keys in 'trusted-public-keys'`,
      );
    };
    refused(await fetch(publicKey));
    const infoFile = at("cache", readdirSync(at("cache")).find((name) => out.includes(name.slice(0, 32)))!);
    const unsigned = readFileSync(infoFile, "utf8");
    writeFileSync(infoFile, `${unsigned}Sig: good-1:${Buffer.alloc(64, 1).toString("base64")}\n`);
    refused(await fetch(publicKey));
    removePath(at("cache"));
    expect((await place.firn("store", "sign", "--key-file", at("key"), out)).code).toBe(0);
    expect((await place.firn("copy", "--to", `file://${at("cache")}`, out)).code).toBe(0);
    refused(await fetch(`good-1:${Buffer.alloc(32, 9).toString("base64")}`));
    expect(await fetch(publicKey)).toMatchObject({ code: 0 });
  });
});

test("Debian packages whose data is hostile are refused, each for its reason", async () => {
  const attributes = hostileTars.map(([, tar], i) => {
    writeFileSync(at(`work/x${i}.deb`), debOf(tar));
    return `d${i} = derivation { name = "x${i}"; system = builtins.currentSystem; builder = "builtin:unpack-deb"; src = ./x${i}.deb; };`;
  });
  writeFileSync(at("work/x.nix"), `{ ${attributes.join("\n")} }\n`);
  const names = hostileTars.map((_, i) => `d${i}`);
  const { code, err } = await place.firn("build", "--no-link", "--keep-going", "-f", "x.nix", ...names);
  expect(code).toBe(1);
  for (const [i, [name, , message]] of hostileTars.entries()) {
    const report = err.split("error: ").filter((part) => part.includes(`-x${i}.drv'`) || part.includes(message));
    expect([name, report.join("")]).toEqual([name, expect.stringContaining(message)]);
  }
  expect(existsSync("/tmp/firn-hostile")).toBe(false);
  const left = readdirSync(at("root/nix/store")).filter((item) => /-x\d$/.test(item));
  expect(left).toEqual([]);
  await checkStore();
});

test("tarballs that are hostile are refused, each for its reason", async () => {
  for (const [name, archive, message] of [...hostileTars, ...hostileZips]) {
    writeFileSync(at("work/x.tar"), archive);
    const url = `file://${at("work/x.tar")}`;
    const { code, out, err } = await place.firn("eval", "--impure", "--expr", `builtins.fetchTarball "${url}"`);
    expect([name, code, out, err]).toEqual([name, 1, "", expect.stringContaining(message)]);
    expect(err).toContain(`failed to extract archive '${url}'`);
  }
  expect(existsSync("/tmp/firn-hostile")).toBe(false);
  expect(readdirSync(place.directory).filter((item) => item.startsWith("firn-"))).toEqual([]);
  await checkStore();
});

test("without user namespaces a build fails and says how to allow it without isolation", async () => {
  mkdirSync(at("bin"));
  for (const name of ["bwrap", "unshare"]) {
    writeFileSync(at("bin", name), `#!/bin/sh\necho "${name}: No permissions to create a new namespace" >&2\nexit 1\n`);
    chmodSync(at("bin", name), 0o755);
  }
  symlinkSync(process.execPath, at("bin/node"));
  writeFileSync(
    at("work/x.nix"),
    'derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }',
  );
  const env = { ...place.environment, PATH: `${at("bin")}:${place.environment.PATH}` };
  const { code, err } = await runProgram(["build", "--no-link", "-f", "x.nix"], { cwd: at("work"), env });
  // Root's builds run with the ids of a build user.
  const [cannot, refusing] =
    process.getuid?.() === 0
      ? ["unprivileged users cannot make user namespaces", "unshare"]
      : ["user namespaces cannot be made", "bwrap"];
  expect(code).toBe(1);
  expect(err).toContain(
    `error: this system does not support the build sandbox: ${cannot} (${refusing}: No permissions`,
  );
  expect(err).toContain("builds without isolation can be allowed with --option sandbox false");
  await checkStore();
});

/** A private mount namespace, as root or as anybody. */
const UNSHARE = ["unshare", ...(process.getuid?.() === 0 ? [] : ["-r"]), "-m", "--propagation", "private"];
const mounts = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

describe.skipIf(!mounts)("on a machine", () => {
  function script(text: string): { status: number | null; out: string } {
    const firn = `${process.execPath} --disable-warning=ExperimentalWarning ${main}`;
    const result = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), "sh", "-c", `firn() { ${firn} "$@"; }\n${text}`], {
      cwd: at("work"),
      env: {
        ...place.environment,
        NIX_CONFIG:
          "substituters =\nflake-registry =\nrequire-sigs = false\ngc-reserved-space = 4096\nsandbox-paths = /bin /usr /lib /lib64?\n",
      },
      encoding: "utf8",
    });
    return { status: result.status, out: `${result.stdout}${result.stderr}` };
  }

  test.each([
    ["nearly full", 60_000],
    ["quite full", 0],
  ])(
    "whose disk is %s, adding, building, fetching and switching fail, tell it, and leave all as it was",
    (_name, free) => {
      for (const name of ["aa", "bb"]) {
        mkdirSync(at("work", name));
        writeFileSync(at("work", name, name), Buffer.alloc(200_000, name));
      }
      writeFileSync(at("work/big"), Buffer.alloc(500_000, 7));
      writeFileSync(
        at("work/x.nix"),
        'derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/bin:/usr/bin"; args = [ "-c" "head -c 500000 /dev/zero > $out" ]; }',
      );
      mkdirSync(at("root"));
      const { status, out } = script(`exec 2>&1
set -e
c=$(firn store add --store ${at("second")} bb --name cc)
firn copy --store ${at("second")} --to file://${at("cache")} $c
mount -t tmpfs -o size=6m tmpfs ${at("root")}
a=$(firn store add aa); b=$(firn store add bb)
firn eval --raw -f x.nix drvPath > /dev/null
firn profile add --profile ${at("root/p/profile")} $a
set +e
head -c 100000000 /dev/zero > ${at("root/filler")} 2> /dev/null
truncate -s -${free} ${at("root/filler")}
echo "[add]"; firn store add big; echo "status $?"
echo "[build]"; firn build --no-link -f x.nix; echo "status $?"
echo "[fetch]"; firn build --no-link --option substituters file://${at("cache")} $c; echo "status $?"
echo "[switch]"; firn profile add --profile ${at("root/p/profile")} $b; echo "status $?"
rm ${at("root/filler")}
echo "[left]"; ls ${at("root/nix/store")} ${at("root/p")} | grep -E '\\.(lock|chroot|tmp)'
ls -A ${at("root/nix/var/nix")}/builds 2> /dev/null
echo "[after]"; firn store verify --all --no-trust --quiet; echo "status $?"
firn profile list --profile ${at("root/p/profile")} | grep Name
`);
      expect(status, out).toBe(0);
      const parts = new Map(
        out
          .split(/^\[/m)
          .slice(1)
          .map((part) => part.split("]\n", 2) as [string, string]),
      );
      for (const step of ["add", "build", "fetch", "switch"]) {
        if (step === "switch" && parts.get(step) === "status 0\n") continue;
        expect(parts.get(step), out).toMatch(
          /error: .*(?:No space left on device|disk I\/O error|database or disk is full)/,
        );
        expect(parts.get(step), out).toContain("no space is left on the device: free some, e.g. with 'firn store gc'");
        expect(parts.get(step), out).toMatch(/status 1\n$/);
      }
      expect(parts.get("left"), out).toBe("");
      expect(parts.get("after"), out).toMatch(/^status 0\nName: +aa\n/);
    },
  );

  test("whose home may not be written, what needs it says so and a store of one's own still works", () => {
    writeFileSync(at("work/x.tar"), tarOf([{ name: "t/f", body: "x" }]));
    writeFileSync(at("work/f"), "x");
    const { out } = script(`exec 2>&1
mount -t tmpfs -o ro tmpfs ${at("home")}
echo "[elsewhere]"; firn store add f; echo "status $?"
echo "[home]"; NIX_REMOTE=${at("home/store")} firn store add f; echo "status $?"
echo "[cache]"; firn eval --impure --expr 'builtins.fetchTarball "file://${at("work/x.tar")}"'; echo "status $?"
`);
    expect(out).toMatch(
      /\[cache\]\n[\s\S]*cannot open the fetcher cache ".*": creating directory ".*": Read-only file system\n +set XDG_CACHE_HOME to a directory[\s\S]*status 1/,
    );
    expect(out).not.toContain("internal error");
    expect(out).toMatch(/\[elsewhere\]\n\/nix\/store\/\S+-f\nstatus 0/);
    expect(out).toMatch(
      /\[home\]\nerror:[\s\S]*error: creating directory ".*\/home\/store": Read-only file system\n +use a store of your own[^\n]*\nstatus 1/,
    );
  });
});

test("a truncated archive file beside an honest description is refused", async () => {
  writeFileSync(at("work/f"), "hello".repeat(1000));
  const path = (await place.firn("store", "add", "f")).out.trim();
  expect((await place.firn("copy", "--to", `file://${at("cache")}?compression=none`, path)).code).toBe(0);
  const nar = at("cache/nar", readdirSync(at("cache/nar"))[0]!);
  truncateSync(nar, 3000);
  const { code, err } = await place.firnWith(
    { env: { NIX_REMOTE: at("second") } },
    "build",
    "--no-link",
    path,
    "--option",
    "substituters",
    `file://${at("cache")}`,
  );
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/error: .*(?:unexpected end|truncated|end of file|premature)/i),
  ]);
  expect(readdirSync(at("second/nix/store"))).toEqual([".links"]);
});
