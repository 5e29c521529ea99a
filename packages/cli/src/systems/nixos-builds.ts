/** Derivations of NixOS besides the system that a configuration has: programs that start virtual machines, and images. */
import type { Found } from "@firn/flake";
import { FirnError } from "@firn/formats";
import type { OsConfiguration } from "@firn/system";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { findInConfiguration } from "./configuration.ts";
import { withOwnTraces } from "./traces.ts";

/** An image of a configuration. */
export interface NixosImage {
  readonly found: Found;
  /** Evaluates the path of the image below what is built. */
  file(): Promise<string>;
}

/** Attributes of `config.system.build`. */
export interface NixosBuilds {
  has(attribute: string): boolean;
  build(attribute: string): Promise<Found>;
  /** The images by variant; undefined when the configuration knows none. */
  images(): Promise<ReadonlyMap<string, NixosImage> | undefined>;
}

const place = "config.system.build";

/** Returns what a configuration builds; undefined for one of Firn OS, which has neither images nor virtual machines of its own. */
export async function nixosBuilds(
  session: EvaluationSession,
  configuration: OsConfiguration,
): Promise<NixosBuilds | undefined> {
  const build = await withOwnTraces(session, () => findInConfiguration(session, configuration, place));
  const names = new Set(await build.value.attributeNames());
  if (!names.has("vm") && !names.has("images")) return undefined;
  const below = async (parent: Found, name: string): Promise<Found> => {
    const attrPath = `${parent.attrPath}.${name}`;
    const value = await parent.value.attribute(name);
    if (value === undefined) throw new FirnError("missing-attribute", `attribute '${attrPath}' does not exist`);
    return { ...parent, value, attrPath };
  };
  return {
    has: (attribute) => names.has(attribute),
    build: (attribute) => below(build, attribute),
    images: async () => {
      if (!names.has("images")) return undefined;
      const images = await below(build, "images");
      const entries = ((await images.value.attributeNames()) ?? []).map(async (variant) => {
        const found = await below(images, variant);
        const file = async (): Promise<string> => {
          const path = await (await below(found, "passthru")).value.attribute("filePath");
          if (path === undefined)
            throw new FirnError("missing-attribute", `attribute '${found.attrPath}.passthru.filePath' does not exist`);
          return (await path.string()).text;
        };
        return [variant, { found, file }] as const;
      });
      return new Map(await Promise.all(entries));
    },
  };
}
