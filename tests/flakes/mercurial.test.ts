/** Mercurial inputs: what the reference gives for the same repositories, made anew with fixed dates. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

const hasMercurial = spawnSync("hg", ["--version"]).status === 0;
let place: Place;
let repository: string;

/** Recorded from the reference; revisions and hashes do not depend on where the repositories lie. */
const revisions = {
  first: "475bc7b524045d01f9fea20089e133284e1b7871",
  second: "8ba572ef09ba1201ce65fb4699b36578bc6fa39f",
  tagged: "09d74e7190e21531b13a0f900308fcb795fa8d70",
  feature: "52958e1e2c6bde02f967f27ad00cff05a71f0182",
};

function hg(directory: string, ...args: string[]): void {
  const env = { ...process.env, HGUSER: "A <a@b.c>", HGPLAIN: "", HGRCPATH: "/dev/null" };
  const { status, stderr } = spawnSync("hg", ["-R", directory, "--cwd", directory, ...args], { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`hg ${args.join(" ")}: ${stderr}`);
}

function commit(date: number, message: string): void {
  hg(repository, "commit", "-q", "-d", `${date} 0`, "-m", message);
}

beforeAll(() => {
  if (!hasMercurial) return;
  place = makePlace();
  repository = join(realpathSync(place.directory), "repo");
  spawnSync("hg", ["init", repository]);
  mkdirSync(join(repository, "d"));
  writeFileSync(join(repository, "a"), "one\n");
  writeFileSync(join(repository, "d/x"), "x\n", { mode: 0o755 });
  spawnSync("ln", ["-s", "a", join(repository, "link")]);
  hg(repository, "add", "-q");
  commit(1000000, "1");
  writeFileSync(join(repository, "a"), "two\n");
  commit(2000000, "2");
  hg(repository, "branch", "-q", "feature");
  writeFileSync(join(repository, "f"), "f\n");
  hg(repository, "add", "-q", "f");
  commit(3000000, "f");
  hg(repository, "tag", "-q", "-d", "3000001 0", "v1");
  hg(repository, "update", "-q", "default");
});
afterAll(() => place?.remove());

function evaluate(expression: string, ...flags: string[]): Promise<Outcome> {
  const experimental = ["--extra-experimental-features", "nix-command flakes fetch-tree"];
  return place.firn("eval", "--impure", "--json", ...experimental, ...flags, "--expr", expression);
}

async function attributes(tree: string): Promise<unknown> {
  const { code, out, err } = await evaluate(
    `let t = ${tree}; in builtins.mapAttrs (_: v: v) (t // { outPath = "" + t; })`,
  );
  // A set with outPath is that path in JSON.
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const rest = await evaluate(`removeAttrs (${tree}) [ "outPath" ]`);
  return { ...(JSON.parse(rest.out) as object), outPath: JSON.parse(out) as unknown };
}

describe.skipIf(!hasMercurial)("fetchMercurial", () => {
  test.each([
    ["the default branch", "URL", "second", 1, "default", "jbj7frd5sn3vrlfd6xqaqv3y6zczqj5z-source"],
    ["a branch", '{ url = URL; rev = "feature"; }', "feature", 3, "feature", "as4dyakfvfy3smiy0ihb8vv561ah5zj1-source"],
    ["a tag", '{ url = URL; rev = "v1"; name = "foo"; }', "tagged", 2, "v1", "4a4pii4syl62fb75ri465i5ni8a8l9sw-foo"],
    [
      "a revision",
      `{ url = URL; rev = "${revisions.first}"; }`,
      "first",
      0,
      "default",
      "mh8xkrdn9v0mnmc88ydqg7j5am4iawjn-source",
    ],
  ] as const)("gives %s", async (_, argument, revision, revCount, branch, name) => {
    const rev = revisions[revision];
    expect(await attributes(`builtins.fetchMercurial ${argument.replace("URL", `"${repository}"`)}`)).toEqual({
      branch,
      outPath: `/nix/store/${name}`,
      rev,
      revCount,
      shortRev: rev.slice(0, 12),
    });
  });

  test("gives a work tree with changes as it stands, without what is not tracked", async () => {
    const dirty = join(place.directory, "dirty");
    spawnSync("hg", ["clone", "-q", repository, dirty]);
    writeFileSync(join(dirty, "a"), "three\n");
    writeFileSync(join(dirty, "untracked"), "un\n");
    hg(dirty, "rm", "-q", "d/x");
    const { out, err } = await evaluate(
      `let t = builtins.fetchMercurial "${dirty}"; in [ "\${t}" t.rev t.branch (t ? revCount) ]`,
    );
    expect(err).toBe(`warning: Mercurial tree '"${dirty}"' is unclean\n`);
    const [path, ...rest] = JSON.parse(out) as unknown[];
    expect(path).toMatch(/^\/nix\/store\/[a-z0-9]{32}-source$/);
    expect(rest).toEqual(["0".repeat(40), "default", false]);
    const names = await evaluate(`builtins.readDir (builtins.fetchMercurial "${dirty}")`);
    expect(JSON.parse(names.out)).toEqual({ a: "regular", link: "symlink" });
    const refused = await evaluate(`"\${builtins.fetchMercurial "${dirty}"}"`, "--option", "allow-dirty", "false");
    expect(refused.err).toContain(`error: Mercurial tree '${dirty}' is unclean`);
  });

  test.each([
    ['{ url = URL; rev = "nope"; }', "hg failed with exit code 255"],
    ['{ url = URL; rev = "0000000000000000000000000000000000000001"; }', "hg failed with exit code 255"],
    ['"/nowhere/at/all"', "hg failed with exit code 255"],
    ['{ url = URL; rev = "--config=x"; }', "invalid Mercurial branch/tag name '--config=x'"],
  ])("refuses %s", async (argument, message) => {
    const { code, err } = await evaluate(`builtins.fetchMercurial ${argument.replace("URL", `"${repository}"`)}`);
    expect(code).toBe(1);
    expect(err).toContain(`error: ${message}`);
  });

  test("needs a revision in pure evaluation", async () => {
    const pure = (rev: string) =>
      place.firn("eval", "--expr", `(builtins.fetchMercurial { url = "${repository}"; ${rev} }).revCount`);
    expect((await pure("")).err).toContain("in pure evaluation mode, 'fetchMercurial' requires a Mercurial revision");
    expect((await pure(`rev = "${revisions.feature}";`)).out).toBe("3\n");
  });
});

describe.skipIf(!hasMercurial)("flakes of Mercurial repositories", () => {
  test("are trees with a NAR hash", async () => {
    expect(
      await attributes(`builtins.fetchTree "hg+file://${repository}?ref=feature&rev=${revisions.feature}"`),
    ).toEqual({
      narHash: "sha256-FKzdqaA8FNbgQvUxgkNu4MPKbZH6ry6n/l+B2iIDd38=",
      outPath: "/nix/store/as4dyakfvfy3smiy0ihb8vv561ah5zj1-source",
      rev: revisions.feature,
      revCount: 3,
      shortRev: revisions.feature.slice(0, 7),
    });
  });

  test("are locked as the reference locks them", async () => {
    const flake = join(place.directory, "user");
    mkdirSync(flake);
    const input = `{ url = "hg+file://${repository}?ref=feature"; flake = false; }`;
    writeFileSync(join(flake, "flake.nix"), `{ inputs.n = ${input}; outputs = { n, ... }: { rev = n.rev; }; }`);
    const locking = await place.firn("flake", "lock", `path:${flake}`);
    expect(locking.err).toContain(
      `• Added input 'n':\n    'hg+file://${repository}?ref=feature&rev=${revisions.feature}'`,
    );
    const lock = JSON.parse(readFileSync(join(flake, "flake.lock"), "utf8")) as { nodes: { n: unknown } };
    expect(lock.nodes.n).toEqual({
      flake: false,
      locked: {
        narHash: "sha256-FKzdqaA8FNbgQvUxgkNu4MPKbZH6ry6n/l+B2iIDd38=",
        ref: "feature",
        rev: revisions.feature,
        revCount: 3,
        type: "hg",
        url: `file://${repository}`,
      },
      original: { ref: "feature", type: "hg", url: `file://${repository}` },
    });
    // What is locked comes from the store: the repository is not asked.
    spawnSync("mv", [repository, `${repository}-away`]);
    expect(existsSync(repository)).toBe(false);
    expect((await place.firn("eval", "--raw", `path:${flake}#rev`)).out).toBe(revisions.feature);
    spawnSync("mv", [`${repository}-away`, repository]);
  });
});
