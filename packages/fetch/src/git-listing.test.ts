import { expect, test } from "vitest";
import { ObjectReader } from "./git-listing.ts";

const id = "0123456789abcdef0123456789abcdef01234567";

/** Reads objects that arrive in pieces of some size. */
function read(output: string, count: number, size: number): string[] {
  const objects: string[] = [];
  const reader = new ObjectReader(count, {
    begin: (index, length) => {
      expect(index).toBe(objects.length);
      objects.push(`${length}:`);
    },
    write: (piece) => {
      objects.push(`${objects.pop()}${Buffer.from(piece).toString("latin1")}`);
    },
    end: () => undefined,
  });
  const bytes = Buffer.from(output, "latin1");
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.finish();
  return objects;
}

test("objects of Git are read in whatever pieces they arrive", () => {
  const output = `${id} blob 5\na\nb\nc\n${id} blob 0\n\n${id} tree 2\n\0\xff\n`;
  for (let size = 1; size <= output.length; size++) {
    expect(read(output, 3, size)).toEqual(["5:a\nb\nc", "0:", "2:\0\xff"]);
  }
});

test.each([
  ["an object that is missing", `${id} missing\n`, 1, `Git object '${id} missing' cannot be read`],
  ["fewer objects", `${id} blob 1\na\n`, 2, "Git gave 1 objects where 2 were asked for"],
  ["more objects", `${id} blob 1\na\n${id} blob 1\nb\n`, 1, `Git object '${id} blob 1' cannot be read`],
  ["an end inside an object", `${id} blob 3\na`, 1, "Git object '' cannot be read"],
  ["other bytes behind an object", `${id} blob 1\nab`, 1, "Git object '' cannot be read"],
  ["an endless header", "a".repeat(1000), 1, `Git object '${"a".repeat(200)}' cannot be read`],
])("%s is refused", (_, output, count, message) => {
  expect(() => read(output, count, 7)).toThrow(expect.objectContaining({ code: "git", message }));
});
