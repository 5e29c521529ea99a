/** The Debian suites that this machine uses, as its apt sources say: the default for locks that name none. */

import { join } from "node:path";
import { existsSync, readdirSync, readFileSync } from "@firn/store/files";
import type { SuiteSpec } from "./archive.ts";

/** Returns the Debian suites of the machine's apt sources; other archives are left out. Empty on other systems. */
export function hostSuites(aptDirectory = "/etc/apt"): SuiteSpec[] {
  const found = new Map<string, SuiteSpec>();
  const add = (uris: string[], suites: string[], components: string[]): void => {
    for (const uri of uris) {
      const archive = /\/(debian|debian-security)\/?$/.exec(uri)?.[1];
      if (archive === undefined) continue;
      for (const suite of suites) {
        if (!/^[a-z][a-z0-9/-]*$/.test(suite)) continue;
        found.set(`${archive} ${suite}`, {
          archive,
          suite,
          components: components.filter((part) => /^[a-z-]+$/.test(part)),
        });
      }
    }
  };
  for (const file of sourceFiles(aptDirectory)) {
    const text = readFileSync(file, "latin1");
    if (file.endsWith(".sources")) {
      for (const stanza of text.split(/\n\s*\n/)) {
        const field = (name: string): string[] =>
          new RegExp(`^${name}:[ \\t]*(.*)$`, "m")
            .exec(stanza)?.[1]
            ?.split(/\s+/)
            .filter((word) => word !== "") ?? [];
        if (field("Types").includes("deb")) add(field("URIs"), field("Suites"), field("Components"));
      }
    } else {
      for (const line of text.split("\n")) {
        const [, uri, suite, components] = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line) ?? [];
        if (uri !== undefined && suite !== undefined) add([uri], [suite], (components ?? "").trim().split(/\s+/));
      }
    }
  }
  return [...found.values()];
}

function sourceFiles(directory: string): string[] {
  const lists = join(directory, "sources.list.d");
  const files = existsSync(lists)
    ? readdirSync(lists)
        .sort()
        .map((name) => join(lists, name))
    : [];
  return [join(directory, "sources.list"), ...files].filter(
    (file) => /\.(list|sources)$/.test(file) && existsSync(file),
  );
}
