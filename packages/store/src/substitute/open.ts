/** Opening any store by name: local ones and binary caches; and the substituters that the settings list. */

import path from "node:path";
import { FirnError, parseSecretKey } from "@firn/formats";
import * as fs from "../fs/files.ts";
import { machineLocation, type OpenContext, openLocalStore, parseStoreReference } from "../local/open.ts";
import { parseSshAuthority } from "../remote/ssh-authority.ts";
import { SshStore } from "../remote/ssh-store.ts";
import type { Store } from "../store.ts";
import { fileUrlOf, processEnvironment, workingDirectory } from "../surroundings.ts";
import { BinaryCacheStore } from "./binary-cache.ts";
import { decoded, Transferrer, transferOptions } from "./transfer.ts";

/** As `OpenContext`, with the transferrer to share and whether the network may be used. */
export interface OpenAnyContext extends OpenContext {
  readonly transferrer?: Transferrer;
  readonly offline?: boolean;
}

/** Makes the transferrer that the settings describe. */
export function makeTransferrer(context: OpenAnyContext): Transferrer {
  return (
    context.transferrer ??
    new Transferrer(
      transferOptions(context.settings, {
        offline: context.offline ?? false,
        ...(context.events === undefined ? {} : { events: context.events }),
      }),
    )
  );
}

/** Words that the user gives to every ssh. */
export function sshOptions(environment: Readonly<Record<string, string | undefined>>): string[] {
  return (environment.NIX_SSHOPTS ?? "").split(/\s+/).filter((word) => word !== "");
}

/** Opens the store that `text` names. Errors `unknown-store`, `unsupported-store`, those of the stores. */
export async function openStore(text: string, context: OpenAnyContext): Promise<Store> {
  const reference = parseStoreReference(text);
  const { scheme, target, parameters } = reference;
  switch (scheme) {
    case "auto":
    case "local":
      return openLocalStore(context, text);
    case "file":
    case "http":
    case "https": {
      const url =
        scheme === "file" ? fileUrlOf(path.resolve(workingDirectory(), decoded(target))) : `${scheme}://${target}`;
      const priority = Number.parseInt(parameters.get("priority") ?? "", 10);
      const keyFiles = [parameters.get("secret-key"), ...(parameters.get("secret-keys") ?? "").split(",")];
      const compression = parameters.get("compression");
      return BinaryCacheStore.open({
        url,
        transferrer: makeTransferrer(context),
        storeDir: parameters.get("store") ?? machineLocation(context.environment ?? processEnvironment()).storeDir,
        ...(compression === undefined ? {} : { compression }),
        ...(Number.isNaN(priority) ? {} : { priority }),
        secretKeys: keyFiles
          .filter((file) => file !== undefined && file !== "")
          .map((file) => parseSecretKey(fs.readFileSync(file!, "latin1"))),
        writeNarListing: isTrue(parameters.get("write-nar-listing")),
      });
    }
    case "ssh": {
      const { host, words } = parseSshAuthority(target);
      return new SshStore({
        host,
        sshOptions: [...sshOptions(context.environment ?? processEnvironment()), ...words],
        ...(context.events === undefined ? {} : { events: context.events }),
        program: (parameters.get("remote-program") ?? "nix-store").split(" "),
      });
    }
    default:
      throw new FirnError("unsupported-store", `stores of kind '${scheme}' are not supported yet`, {
        hint: "use a local store, a binary cache (file://, http://, https://) or another machine (ssh://)",
      });
  }
}

function isTrue(text: string | undefined): boolean {
  return text === "true" || text === "1";
}

/** Opens the substituters of the settings, best first; one that cannot be opened is reported and left out. */
export async function openSubstituters(context: OpenAnyContext): Promise<Store[]> {
  const { settings, events } = context;
  if (!settings.get("substitute") || context.offline === true) return [];
  const transferrer = makeTransferrer(context);
  const opened = await Promise.all(
    [...new Set(settings.get("substituters"))].map(async (text): Promise<Store | undefined> => {
      try {
        return await openStore(text, { ...context, transferrer });
      } catch (error) {
        if (!(error instanceof FirnError)) throw error;
        events?.({ kind: "message", level: "warn", text: `${error.message}; not using substituter '${text}'` });
        return undefined;
      }
    }),
  );
  const priority = (store: Store): number => (store instanceof BinaryCacheStore ? store.priority : 0);
  return opened.filter((store) => store !== undefined).sort((a, b) => priority(a) - priority(b));
}
