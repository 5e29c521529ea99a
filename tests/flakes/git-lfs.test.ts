/** Files that Git LFS keeps elsewhere. Hashes and warnings are the reference's, recorded from `nix eval` over the same repositories. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

const content = "hello from lfs\n";
const attributes = "*.bin filter=lfs\n";

let place: Place;
let server: Server;
let base: string;
let asked: { readonly url: string; readonly authorization: string | undefined; readonly body: string }[];
/** The objects that the server has, by name; a test may put in others than their names say. */
let objects: Map<string, string>;
/** The address that the server names for an object. */
let addressOf: (oid: string) => string;

const nameOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const pointer = (text: string, size = text.length): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${nameOf(text)}\nsize ${size}\n`;

beforeEach(async () => {
  place = makePlace();
  asked = [];
  objects = new Map([[nameOf(content), content]]);
  addressOf = (oid) => `${base}/objects/${oid}`;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = request.url ?? "";
      const body = Buffer.concat(chunks).toString();
      asked.push({ url, authorization: request.headers.authorization, body });
      if (url.startsWith("/denied")) {
        response.statusCode = 403;
        response.end();
      } else if (url.endsWith("/info/lfs/objects/batch")) {
        const { objects: wanted } = JSON.parse(body) as { objects: { oid: string; size: number }[] };
        response.end(JSON.stringify({ objects: wanted.map(({ oid, size }) => answer(oid, size)) }));
      } else response.end(objects.get(url.replace("/objects/", "")));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
  place.remove();
});

function answer(oid: string, size: number): unknown {
  if (!objects.has(oid)) return { oid, size, error: { code: 404, message: "Object does not exist" } };
  return { oid, size, actions: { download: { href: addressOf(oid), header: { Authorization: "Basic eA==" } } } };
}

/** Makes a repository whose remote is at the server, and returns its directory and revision. */
function repository(
  files: Readonly<Record<string, string>>,
  remote = `${base}/r.git`,
): { directory: string; rev: string } {
  const directory = join(place.directory, "r");
  const git = (...args: string[]): string => {
    const identity = {
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@b",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@b",
    };
    const { status, stdout, stderr } = spawnSync("git", args, {
      cwd: directory,
      env: { ...process.env, ...identity, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  git("init", "-q");
  // The filter itself is not installed, as where nobody uses Git LFS.
  git("add", ".");
  git("commit", "-qm", "a");
  git("remote", "add", "origin", remote);
  return { directory, rev: git("rev-parse", "HEAD") };
}

function fetched({ directory, rev }: { directory: string; rev: string }, more = "lfs = true;"): Promise<Outcome> {
  const expression = `(builtins.fetchGit { url = "file://${directory}"; rev = "${rev}"; ${more} }).narHash`;
  return place.firn("eval", "--impure", "--raw", "--expr", expression);
}

test.each([
  {
    what: "pointers of the revision's attributes alone",
    files: {
      "d/.gitattributes": "*.bin -filter\n",
      "d/a.bin": pointer(content),
      ".gitattributes": attributes,
      "a.bin": pointer(content),
      "e/.gitattributes": "*.txt filter=lfs\n",
      "e/x.txt": pointer(content),
    },
    hash: "sha256-2b9Du6VhQIezRs8pbVlzTf6tJkrKO9T6w8mDUzP1yu4=",
    warning: "",
  },
  {
    what: "a pointer with an extension",
    files: {
      ".gitattributes": attributes,
      "a.bin": pointer(content).replace("oid", `ext-0-foo sha256:${"4d".repeat(32)}\noid`),
    },
    hash: "sha256-4o42wZqT6jGUGXvpRhnpCFxXeCgntWKXHiqseOYM414=",
    warning: "",
  },
  {
    what: "a pointer with another size than the contents",
    files: { ".gitattributes": attributes, "a.bin": pointer(content, 99) },
    hash: "sha256-4o42wZqT6jGUGXvpRhnpCFxXeCgntWKXHiqseOYM414=",
    warning: "",
  },
  {
    what: "a file that is too large for a pointer",
    files: { ".gitattributes": attributes, "a.bin": `${pointer(content)}${"x".repeat(2000)}` },
    hash: "sha256-+/jbD0ELXw/muwkIZcQwYOgr4EZfHwPtPL4XIk8TdR8=",
    warning: "warning: encountered file '/a.bin' that should have been a git-lfs pointer, but is too large\n",
  },
  {
    what: "a file without the first line of pointers",
    files: { ".gitattributes": attributes, "a.bin": pointer(content).split("\n").slice(1).join("\n") },
    hash: "sha256-jeqwMjy7eYLOlK8RnMqIvmb9OgPYa4DHNcKco+9TBsQ=",
    warning: "warning: encountered file '/a.bin' that should have been a git-lfs pointer, but is invalid\n",
  },
])("$what", async ({ files, hash, warning }) => {
  const { out, err } = await fetched(repository(files));
  expect([out, err]).toEqual([hash, warning]);
});

test("pointers stay unless contents are asked for", async () => {
  const made = repository({ ".gitattributes": attributes, "a.bin": pointer(content) });
  const [without, withContents] = [await fetched(made, ""), await fetched(made)];
  expect(without.out).not.toBe(withContents.out);
  expect(asked.length).toBeGreaterThan(0);
});

test("the server is asked once for all objects, with the header that it named for each", async () => {
  objects.set(nameOf("two"), "two");
  const files = { "a.bin": pointer(content), "b.bin": pointer("two"), "c.bin": pointer("two") };
  const made = repository({ ".gitattributes": attributes, ...files });
  expect((await fetched(made)).code).toBe(0);
  const [batch, ...rest] = asked;
  expect(batch?.url).toBe("/r.git/info/lfs/objects/batch");
  expect(JSON.parse(batch?.body ?? "")).toEqual({
    operation: "download",
    objects: [
      { oid: nameOf(content), size: 15 },
      { oid: nameOf("two"), size: 3 },
    ],
  });
  expect(rest.map(({ url, authorization }) => [url, authorization])).toEqual([
    [`/objects/${nameOf(content)}`, "Basic eA=="],
    [`/objects/${nameOf("two")}`, "Basic eA=="],
  ]);
});

test("objects of a repository on this machine need no server", async () => {
  const made = repository({ ".gitattributes": attributes, "a.bin": pointer(content) }, join("/", "nowhere"));
  const oid = nameOf(content);
  const own = join(made.directory, ".git/lfs/objects", oid.slice(0, 2), oid.slice(2, 4), oid);
  mkdirSync(dirname(own), { recursive: true });
  writeFileSync(own, content);
  expect((await fetched(made)).out).toBe("sha256-4o42wZqT6jGUGXvpRhnpCFxXeCgntWKXHiqseOYM414=");
  // Contents that are not those that the name promises are not taken.
  writeFileSync(own, "changed");
  rmSync(join(place.directory, "home"), { recursive: true, force: true });
  const other = await fetched({ ...made, rev: made.rev }, 'lfs = true; name = "other";');
  expect([other.code, other.err]).toEqual([
    1,
    expect.stringContaining("error: Git LFS objects cannot be downloaded from '/nowhere'"),
  ]);
});

test.each([
  {
    what: "an object that the server lacks",
    spoil: () => objects.clear(),
    message: () => `error: the Git LFS server has no object '${nameOf(content)}': Object does not exist`,
  },
  {
    what: "other contents",
    spoil: () => objects.set(nameOf(content), "something else"),
    message: () =>
      `error: the Git LFS object '${nameOf(content)}' has other contents in '${base}/objects/${nameOf(content)}'`,
  },
  {
    what: "an address that is a file of this machine",
    spoil: () => {
      addressOf = () => "file:///etc/hostname";
    },
    message: () => `error: the answer of the Git LFS server '${base}/r.git/info/lfs/objects/batch' is not valid`,
  },
])("the server gives $what", async ({ spoil, message }) => {
  const made = repository({ ".gitattributes": attributes, "a.bin": pointer(content) });
  spoil();
  const { code, err } = await fetched(made);
  expect([code, err]).toEqual([1, expect.stringContaining(message())]);
});

test("a server that refuses", async () => {
  const made = repository({ ".gitattributes": attributes, "a.bin": pointer(content) }, `${base}/denied`);
  const { code, err } = await fetched(made);
  const message = `error: unable to upload '${base}/denied/info/lfs/objects/batch': HTTP error 403`;
  expect([code, err]).toEqual([1, expect.stringContaining(message)]);
});
