import { fileURLToPath } from "node:url";

/**
 * The program that tests start as one of its own: the bundle that scripts/test makes (FIRN_TEST_PROGRAM), as it is published, which starts in
 * a third of the time; without that the command line's first module.
 */
export const main: string =
  process.env.FIRN_TEST_PROGRAM ?? fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
