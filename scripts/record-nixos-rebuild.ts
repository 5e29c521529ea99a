/**
 * Records what nixos-rebuild does in the scenarios of tests/os/nixos. Needs the reference (FIRN_REAL_NIX), a nixpkgs tree and Python.
 *
 *     node scripts/record-nixos-rebuild.ts --nixpkgs TREE --python PYTHON
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { directory, runScenario, scenarios } from "../tests/os/nixos/scenarios.ts";

const { nixpkgs = "", python = "" } = parseArgs({
  options: { nixpkgs: { type: "string" }, python: { type: "string" } },
}).values;
const copy = mkdtempSync(join(tmpdir(), "nixos-rebuild-"));
cpSync(join(nixpkgs, "pkgs/by-name/ni/nixos-rebuild-ng/src"), copy, { recursive: true });
// What only Python 3.12 knows, for older ones.
for (const name of readdirSync(join(copy, "nixos_rebuild"))) {
  if (!name.endsWith(".py")) continue;
  const path = join(copy, "nixos_rebuild", name);
  const text = readFileSync(path, "utf8")
    .replaceAll("from __future__ import annotations\n", "")
    .replace(/^("""[\s\S]*?""")?/, "$1\nfrom __future__ import annotations\n")
    .replaceAll(/^type (\w+) = (.*)$/gm, '$1 = "$2"')
    .replaceAll(/, override\b|\boverride, /g, "")
    .replaceAll(/^from typing import override$/gm, "")
    .replaceAll(/^\s*@override\n/gm, "");
  writeFileSync(path, text.replace("@executable@", "nixos-rebuild"));
}
const program = `env _NIXOS_REBUILD_REEXEC=1 PYTHONPATH=${copy} ${python} -m nixos_rebuild`;
const visible = [copy, dirname(dirname(python))];
try {
  const recorded = scenarios.map((scenario) => {
    const text = runScenario(scenario, { program, visible, verbose: true });
    return [scenario.name, text] as const;
  });
  const golden = Object.fromEntries(recorded.map(([name, text]) => [name, text.split("\n").slice(0, -1)]));
  writeFileSync(join(directory, "recorded.json"), `${JSON.stringify(golden, null, 2)}\n`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
