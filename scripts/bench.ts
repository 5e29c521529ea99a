/**
 * Runs Firn (bundled) and the reference in turn on the same work and prints ratios: Firn's figure divided by the
 * reference's, medians of the runs. Needs what measure.ts needs.
 *
 *   node scripts/bench.ts [--pairs N] [--nixpkgs DIRECTORY] [NAME...]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { firnCommand, measure, median, referenceCommand, type Sample } from "./measure.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: "string", default: "5" }, nixpkgs: { type: "string" } },
});
const directory = mkdtempSync(join(tmpdir(), "firn-bench-"));

interface Work {
  readonly name: string;
  /** Arguments of `nix-instantiate` or `nix`, the same for both. */
  readonly reference: readonly string[];
  readonly firn: readonly string[];
  /** Whether both must print the same. */
  readonly sameOutput: boolean;
  /** Whether Firn finds its lowered code of an earlier run. */
  readonly warm?: boolean;
  /** Whether Firn finds the answers of an earlier run. */
  readonly again?: boolean;
}

const fib = join(directory, "fib.nix");
writeFileSync(fib, "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 32\n");
const instantiate = (name: string, ...args: string[]): Work => ({
  name,
  reference: ["nix-instantiate", ...args],
  firn: ["nix-instantiate", ...args],
  sameOutput: true,
});
const works: Work[] = [
  instantiate("fib 32", "--eval", fib),
  instantiate("1+1", "--eval", "-E", "1 + 1"),
  { name: "--version", reference: ["nix", "--version"], firn: ["--version"], sameOutput: false },
  { name: "--help", reference: ["nix-instantiate", "--version"], firn: ["--help"], sameOutput: false },
];
if (values.nixpkgs !== undefined) {
  const system = join(directory, "system.nix");
  writeFileSync(
    system,
    `(import ${values.nixpkgs}/nixos { system = "x86_64-linux"; configuration = {
      system.stateVersion = "26.05"; boot.loader.grub.device = "/dev/sda";
      fileSystems."/" = { device = "/dev/sda1"; fsType = "ext4"; };
      services.nginx.enable = true; services.jellyfin.enable = true; }; }).system.drvPath\n`,
  );
  const hello = ["--eval", "--readonly-mode", values.nixpkgs, "-A", "hello.drvPath"];
  const whole = ["--eval", "--readonly-mode", system];
  works.push(
    instantiate("hello cold", ...hello),
    { ...instantiate("hello warm", ...hello), warm: true },
    instantiate("system cold", ...whole),
    { ...instantiate("system warm", ...whole), warm: true },
    { ...instantiate("system again", ...whole), warm: true, again: true },
  );
}

const environment = {
  ...process.env,
  NIX_REMOTE: "dummy://",
  NIX_CONFIG: "substituters =\n",
  REAL_NIX_BIND: [directory, values.nixpkgs ?? ""].join(":"),
};
for (const work of works) {
  if (positionals.length > 0 && !positionals.includes(work.name)) continue;
  const ours: Sample[] = [];
  const theirs: Sample[] = [];
  const keeping = work.again === true ? [] : ["--option", "eval-cache", "false"];
  const firn = firnCommand([...work.firn, ...(work.firn.length > 1 ? keeping : [])]);
  const firnPlace = {
    cwd: directory,
    env: { ...environment, FIRN_CODE_CACHE: work.warm === true ? join(directory, "code") : "" },
  };
  if (work.warm === true) await measure(firn, firnPlace);
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    ours.push(await measure(firn, firnPlace));
    theirs.push(await measure(referenceCommand(work.reference), { cwd: directory, env: environment }));
  }
  if (work.sameOutput && ours[0]?.output !== theirs[0]?.output) {
    throw new Error(`${work.name}: Firn printed ${ours[0]?.output}, the reference ${theirs[0]?.output}`);
  }
  const ratio = (of: (sample: Sample) => number): string =>
    (median(ours, of) / median(theirs, of)).toFixed(2).padStart(6);
  const cpu = (samples: readonly Sample[]) => (median(samples, (s) => s.cpu) * 1000).toFixed(0);
  console.log(
    `${work.name.padEnd(12)} wall ${ratio((s) => s.wall)}  cpu ${ratio((s) => s.cpu)}  memory ${ratio((s) => s.memory)}   (Firn ${cpu(ours)} ms of CPU, reference ${cpu(theirs)} ms)`,
  );
}
rmSync(directory, { recursive: true });
