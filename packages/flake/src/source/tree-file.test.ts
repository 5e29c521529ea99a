import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { plainFileText, type Tree } from "./tree-file.ts";

let top: string;
let tree: Tree;

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-tree-file-"));
  fs.mkdirSync(path.join(top, "tree/sub"), { recursive: true });
  fs.mkdirSync(path.join(top, "outside"));
  fs.writeFileSync(path.join(top, "tree/sub/flake.lock"), "inside");
  fs.writeFileSync(path.join(top, "outside/flake.lock"), "secret");
  tree = { storePath: "/nix/store/tree", realPath: path.join(top, "tree") };
});
afterEach(() => fs.rmSync(top, { recursive: true }));

it("reads files, also where the tree is named by a link", () => {
  expect(plainFileText(tree, "/sub/flake.lock")).toBe("inside");
  expect(plainFileText(tree, "/sub/other")).toBeUndefined();
  fs.symlinkSync(tree.realPath, path.join(top, "link"));
  expect(plainFileText({ ...tree, realPath: path.join(top, "link") }, "/sub/flake.lock")).toBe("inside");
});

it("reads nothing through a link, also when one comes while it looks", () => {
  fs.symlinkSync("../outside", path.join(tree.realPath, "away"));
  expect(() => plainFileText(tree, "/away/flake.lock")).toThrow("path '/nix/store/tree/away' is a symlink");
  const swapping: Tree = {
    ...tree,
    has(file) {
      if (file !== "/sub/flake.lock") return true;
      fs.rmSync(path.join(tree.realPath, "sub"), { recursive: true });
      fs.symlinkSync("../outside", path.join(tree.realPath, "sub"));
      return true;
    },
  };
  expect(() => plainFileText(swapping, "/sub/flake.lock")).toThrow("changed while it was being evaluated");
});

it("says that a directory is none", () => {
  expect(() => plainFileText(tree, "/sub")).toThrow("reading '/nix/store/tree/sub': Is a directory");
});
