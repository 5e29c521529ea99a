/** Zip archives that are honest give the trees that the reference makes of them. */
import { mkdtempSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readZip } from "../../packages/fetch/src/zip.ts";
import { type ZipMember, zipOf } from "../support/archives.ts";
import { makePlace, type Place } from "../support/run-firn.ts";

const many = "hello\n".repeat(100_000);

/** Hashes of trees are the reference's, for the same archives by `fetchTree`. */
const honest: readonly (readonly [name: string, members: readonly ZipMember[], narHash: string])[] = [
  [
    "files, programs, links and directories",
    [
      { name: "top/", mode: 0o040755 },
      { name: "top/a", body: many },
      { name: "top/x", body: "#!/bin/sh\n", mode: 0o100755 },
      { name: "top/l", body: "d/f", mode: 0o120777 },
      { name: "top/out", body: "../../../etc", mode: 0o120777 },
      { name: "top/d/", mode: 0o040755 },
      { name: "top/d/f", body: "deep" },
      { name: "top/e/", mode: 0o040700 },
    ],
    "sha256-YswzOpyBUsJxgyGvvjfFoNfe4YxDEGFyS+mmng/M10I=",
  ],
  [
    "stored contents, no members for directories",
    [{ name: "top/d/a", body: "a", stored: true }, { name: "top/b" }],
    "sha256-9DHQGAqOEpKcIgFbVif7QdBG/1ZEvKfNId19peEB3/A=",
  ],
  [
    "modes of every kind",
    [0o100700, 0o100010, 0o100001, 0, 0o104644, 0o755].map((mode, n) => ({ name: `top/${n}`, body: "1", mode })),
    "sha256-u1LmeAMfJBYC2ANePJI/QEM+a4AEjQF+Bn0jXnFphWs=",
  ],
  [
    "what other systems make",
    [
      { name: "top/dos", body: "1", system: 0, mode: 0o100755 },
      { name: "top/mac", body: "x", system: 19, mode: 0o120777 },
      { name: "top/d/", system: 0, mode: 0 },
    ],
    "sha256-7yla3r3EmJR9tPjV9xW3j7Iq/CsyCb3Kvv3difcpyN8=",
  ],
  [
    "backslashes for all slashes",
    [
      { name: "top\\a", body: "1" },
      { name: "top\\d\\b", body: "1" },
    ],
    "sha256-4cpuK68nZHvYB0jd35rwVitEx2WxqHMdlJEtPOFVAzc=",
  ],
  [
    "a backslash in a name",
    [
      { name: "top/a\\b", body: "1" },
      { name: "top/c", body: "1" },
    ],
    "sha256-LtYX4cOhYBaTcVxoTcwskU6n3+fcOP1E8nOpsd0Y/r8=",
  ],
  [
    "names with dots and double slashes",
    [
      { name: "./top/./a", body: "1" },
      { name: "top//b", body: "2" },
    ],
    "sha256-3eq9iXMh7D74Cb9rhFJnW7FvFdDKvMsses4gZZI07rY=",
  ],
  [
    "a name twice",
    [
      { name: "top/a", body: "1" },
      { name: "top/a", body: "2" },
    ],
    "sha256-5s4EDJlL+f44xZUgbvtC6ld1z/z4RE2EDsrou7tlZnk=",
  ],
  [
    "a directory twice",
    [
      { name: "top/a/", mode: 0o040755 },
      { name: "top/a/", mode: 0o040755 },
    ],
    "sha256-5OxIJ3ge1II4HXOZNByi7ZZeqtbjY2GFrw2FjVih654=",
  ],
  ["bytes that are no UTF-8", [{ name: "top/\x82", body: "1" }], "sha256-ONV3H4v3fQ+uMfv4Fg6uBqKi2iM/d+RSHLGRfCNih/Y="],
  [
    "a file with a directory's name",
    [{ name: "top/f/", body: "abc" }],
    "sha256-nt3XIiHrLf2y/texG00wxfqvtxwAl3Mabs9di/vlmy8=",
  ],
  [
    "two top directories",
    [
      { name: "a/x", body: "1" },
      { name: "b/x", body: "1" },
    ],
    "sha256-T20N7L2u7lm3Bep6Ra/hLnEeS0C9xV16G04Fix1eAIw=",
  ],
  ["one file", [{ name: "a", body: "1" }], "sha256-pZAX/+IqMtBbfP2rR9FXbyV6VBz6ySj6pywSQVa3TzA="],
  ["nothing", [], "sha256-pQpattmS9VmO3ZIQUFn66az8GSmB4IvYhTTCFn6SUmo="],
];

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

/** Evaluates an attribute of the tree that is fetched from an archive. */
async function fetched(members: readonly ZipMember[], attribute: string): Promise<string> {
  const file = join(mkdtempSync(join(place.directory, "zip-")), "x.zip");
  writeFileSync(file, zipOf(members));
  const tree = `(builtins.fetchTree { type = "tarball"; url = "file://${file}"; })`;
  const { out, err } = await place.firn("eval", "--raw", "--impure", "--expr", `toString ${tree}.${attribute}`);
  expect(err.replace(/^.*(?:unpacking|fetching).*\n/gm, "")).toBe("");
  return out;
}

test.each(honest)("%s", async (_name, members, narHash) => {
  expect(await fetched(members, "narHash")).toBe(narHash);
});

test("the newest time is told, by seconds since 1970 where a member has them", async () => {
  const local = new Date(2023, 10, 14, 22, 13, 20).getTime() / 1000;
  expect(await fetched([{ name: "top/a" }], "lastModified")).toBe(String(local));
  const extra = Buffer.from("UT\x05\0\x01\x01\xf2\x53\x65", "latin1");
  expect(await fetched([{ name: "top/b", extra }], "lastModified")).toBe("1700000257");
});

test("an archive is an input of a flake, and what fetchTarball gives", async () => {
  const file = join(place.directory, "flake.zip");
  writeFileSync(file, zipOf([{ name: "top/flake.nix", body: "{ outputs = _: { answer = 42; }; }" }]));
  expect(await place.firn("eval", `tarball+file://${file}#answer`)).toMatchObject({ code: 0, out: "42\n" });
  const given = `(import (builtins.fetchTarball "file://${file}" + "/flake.nix")).outputs null`;
  expect((await place.firn("eval", "--impure", "--expr", given)).out).toBe("{ answer = 42; }\n");
});

test("an archive that holds more than it may is refused before the member that is too much", async () => {
  const made: string[] = [];
  const tree = {
    directory: () => {},
    create: (path: string) => {
      made.push(path);
      return openSync("/dev/null", "w");
    },
    symlink: () => {},
    makeFree: () => {},
  };
  const bytes = zipOf([
    { name: "top/a", body: "12345678" },
    { name: "top/b", body: "12345678" },
  ]);
  await expect(readZip(bytes, tree, 15)).rejects.toMatchObject({ code: "bad-zip" });
  expect(made).toEqual(["/top/a"]);
  await readZip(bytes, tree, 16);
});
