import fs from "node:fs";
import { FirnError } from "@firn/formats";
import { expect, test } from "vitest";
import { fsPath } from "./disk.ts";
import { machineError } from "./machine-error.ts";

test("paths with null bytes are errors of ours", () => {
  expect(fsPath("/a")).toBe("/a");
  expect(fsPath("/\xc3\xa9")).toEqual(Buffer.from("/é"));
  expect(() => fsPath("/a\0b")).toThrow(new FirnError("bad-path", "the path '/a␀b' contains a null byte"));
  expect(() => fsPath("/\xc3\xa9\0")).toThrow("the path '/\xc3\xa9␀' contains a null byte");
  let refused: unknown;
  try {
    fs.lstatSync("/a\0b");
  } catch (error) {
    refused = error;
  }
  expect(machineError(refused)).toMatchObject({ code: "bad-path" });
});
