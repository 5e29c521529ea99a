import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unpackArchive } from "./unpack.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-unpack-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Member = [header: Partial<Header> & { name: string }, body?: string];

async function archive(members: Member[], compress: (data: Buffer) => Buffer = (data) => data): Promise<string> {
  const packer = pack();
  for (const [header, body] of members) packer.entry(header as Header, body ?? "");
  packer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packer) chunks.push(Buffer.from(chunk as Uint8Array));
  const file = join(directory, "archive");
  await writeFile(file, compress(Buffer.concat(chunks)));
  return file;
}

const unpack = async (members: Member[], compress?: (data: Buffer) => Buffer): Promise<{ lastModified: number }> =>
  unpackArchive(await archive(members, compress), join(directory, "tree"), "x.tar");

test("strips the top directory, keeps links and the executable bit, tells the newest time", async () => {
  const mtime = new Date(1_700_000_000_000);
  const members: Member[] = [
    [{ name: "top/", type: "directory", mtime: new Date(0) }],
    [{ name: "top/a", mode: 0o755, mtime }, "hello"],
    [{ name: "top/sub/l", type: "symlink", linkname: "../a", mtime: new Date(0) }],
    [{ name: "top/h", type: "link", linkname: "top/a" }],
  ];
  for (const compress of [undefined, gzipSync, zstdCompressSync]) {
    rmSync(join(directory, "tree"), { recursive: true, force: true });
    const { lastModified } = await unpack(members, compress);
    expect(lastModified).toBe(1_700_000_000);
    expect(readFileSync(join(directory, "tree/sub/l"), "utf8")).toBe("hello");
    expect(readFileSync(join(directory, "tree/h"), "utf8")).toBe("hello");
    expect(statSync(join(directory, "tree/a")).mode & 0o100).toBe(0o100);
  }
});

test.each<[string, Member[]]>([
  ["an absolute name", [[{ name: "/etc/x" }, "x"]]],
  ["a name that climbs out", [[{ name: "top/../../x" }, "x"]]],
  ["a file through a link", [[{ name: "top/l", type: "symlink", linkname: "/tmp" }], [{ name: "top/l/x" }, "x"]]],
  ["a hard link out of the tree", [[{ name: "top/h", type: "link", linkname: "../../etc/passwd" }]]],
  ["a hard link to what is no member", [[{ name: "top/h", type: "link", linkname: "top/none" }]]],
  ["a device", [[{ name: "top/d", type: "character-device" }]]],
  ["ten thousand levels", [[{ name: `top/${"d/".repeat(10_000)}x` }, "x"]]],
])("refuses %s and writes nothing outside", async (_name, members) => {
  await expect(unpack(members)).rejects.toThrow("'x.tar'");
  expect(existsSync(join(directory, "tree"))).toBe(false);
  expect(existsSync(join(directory, "x"))).toBe(false);
});

test.each<[string, Member[], string[]]>([
  [
    "two top directories",
    [
      [{ name: "a/x" }, "x"],
      [{ name: "b/x" }, "x"],
    ],
    ["a", "b"],
  ],
  ["one file", [[{ name: "a" }, "x"]], ["a"]],
  ["nothing", [], []],
])("keeps %s as it is", async (_name, members, names) => {
  await unpack(members);
  expect(readdirSync(join(directory, "tree")).sort()).toEqual(names);
});

test("refuses a truncated archive and one whose length field lies", async () => {
  const file = await archive([[{ name: "top/a" }, "x".repeat(5000)]]);
  const whole = readFileSync(file);
  await writeFile(file, whole.subarray(0, 1500));
  await expect(unpackArchive(file, join(directory, "t1"), "x.tar")).rejects.toThrow(
    "failed to extract archive 'x.tar'",
  );
  const lying = Buffer.from(whole);
  lying.fill(0xff, 124, 136);
  await writeFile(file, lying);
  await expect(unpackArchive(file, join(directory, "t2"), "x.tar")).rejects.toThrow("x.tar");
});
