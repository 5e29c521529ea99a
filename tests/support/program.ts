import { fileURLToPath } from "node:url";

/** The program that tests start as one of its own: the command line's first module. */
export const main: string = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
