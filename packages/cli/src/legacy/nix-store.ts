/** `nix-store`: one operation on the store, chosen by a flag (manual: "nix-store"). */
import type { Command } from "../grammar/command.ts";
import { addOperations } from "./nix-store/add.ts";
import { archiveOperations } from "./nix-store/archive.ts";
import { buildOperations } from "./nix-store/builds.ts";
import { databaseOperations } from "./nix-store/database.ts";
import { gcOperations } from "./nix-store/gc.ts";
import { keyOperation } from "./nix-store/key.ts";
import { rootFlags, type StoreOperation } from "./nix-store/operation.ts";
import { queryOperation } from "./nix-store/query.ts";
import { realiseOperation } from "./nix-store/realise.ts";
import { serveOperation } from "./nix-store/serve.ts";
import { upkeepOperations } from "./nix-store/upkeep.ts";

const operations: readonly StoreOperation[] = [
  realiseOperation,
  queryOperation,
  ...addOperations,
  ...gcOperations,
  ...archiveOperations,
  ...upkeepOperations,
  ...databaseOperations,
  ...buildOperations,
  keyOperation,
  serveOperation,
];

/** `nix-store`. */
export const command: Command = {
  style: "old",
  positionals: [],
  flags: rootFlags,
  operations,
  async run(invocation, io) {
    const operation = operations.find(({ flag }) => flag.name === invocation.operation);
    return operation === undefined ? 1 : operation.run(invocation, io);
  },
};
