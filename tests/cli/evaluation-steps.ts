/** The steps of tests/cli/evaluation.test.ts, which scripts/record-steps.ts runs in the reference. */
import type { Step, StepSuite } from "../support/steps.ts";

const references = ["path:./fr", "path:fr", "path:../y", "path:", "path:./a%20b", "./fr", "/abs/x", "git+file:./fr"];
const attributes = [
  '{ type = "path"; path = "./fr"; }',
  '{ type = "path"; path = "/a b"; }',
  '{ type = "git"; url = "./fr"; }',
  '{ type = "git"; url = "file:./fr"; }',
];
const endless = ["let a = { b = a; }; in a", "let a = [ a ]; in a", "let f = n: { x = f (n + 1); }; in f 0"];

const steps: readonly Step[] = [
  ...references.map((text) => `builtins.parseFlakeRef "${text}"`),
  ...attributes.map((text) => `builtins.flakeRefToString ${text}`),
  ...endless.map((text) => `builtins.toXML (${text})`),
  // Paths are copied where a language's function makes the JSON, not where the command does.
  "[ ./file { a = ./.; } /no/such/path ]",
  "builtins.toJSON [ ./file ]",
].map((expression) => ({ words: ["nix", "eval", "--impure", "--json", "--expr", expression] }));

/** References as data, values without end, and paths. */
export const evaluationSteps: StepSuite = { files: { file: "content\n" }, steps };
