import assert from "node:assert/strict";
import { test } from "node:test";
import { greet } from "./greet.ts";

test("greets by name", () => {
  assert.equal(greet("Firn"), "Hello, Firn");
});
