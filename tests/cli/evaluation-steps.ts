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
].map((expression) => ({ words: ["nix", "eval", "--impure", "--json", "--expr", expression] }));

/** References as data, and values without end. */
export const evaluationSteps: StepSuite = { files: {}, steps };
