/**
 * Tells what share of NixOS's options for the services and programs below Firn's modules have, by name.
 *
 *   node scripts/option-coverage.ts --nixpkgs DIR [--missing]
 *
 * The tree is only read; the reference evaluates both (FIRN_REFERENCE: the command that runs its programs). With --missing the names
 * that are not there are listed.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.join(import.meta.dirname, "..");
const reference = process.env.FIRN_REFERENCE ?? path.join(os.homedir(), ".cache", "firn-reference", "real-nix");
const { values: flags } = parseArgs({
  options: { nixpkgs: { type: "string" }, missing: { type: "boolean", default: false } },
});
if (flags.nixpkgs === undefined) throw new Error("--nixpkgs names the tree");
const nixpkgs = fs.realpathSync(flags.nixpkgs);

/** What is compared, and the names below it that are not: free-form settings that NixOS spells out. */
const places: Readonly<Record<string, readonly RegExp[]>> = {
  "networking.networkmanager": [],
  "networking.wg-quick": [],
  "networking.wireguard": [],
  "programs.bash": [],
  "programs.fish": [],
  "programs.git": [],
  "programs.tmux": [],
  "programs.vim": [],
  "programs.zsh": [],
  "security.acme": [],
  "services.avahi": [],
  "services.borgbackup": [],
  "services.caddy": [],
  "services.cage": [],
  "services.cron": [],
  "services.ddclient": [],
  "services.dnsmasq": [],
  "services.fail2ban": [],
  "services.grafana": [],
  "services.haproxy": [],
  "services.hostapd": [],
  "services.inadyn": [],
  "services.jellyfin": [],
  "services.memcached": [],
  "services.mosquitto": [],
  "services.mysql": [],
  "services.nfs": [],
  "services.nginx": [],
  "services.openssh": [],
  "services.openvpn": [],
  "services.phpfpm": [],
  "services.postfix": [],
  "services.postgresql": [],
  "services.printing": [],
  // Single exporters besides that of the machine, and the kinds of service discovery.
  "services.prometheus": [/^exporters(\.|$)/, /^scrapeConfigs\..*_sd_configs/],
  "services.prometheus.exporters.node": [],
  "services.redis": [],
  "services.restic": [],
  "services.rsyncd": [],
  "services.samba": [],
  "services.transmission": [],
  "virtualisation.containers": [],
  "virtualisation.docker": [],
  "virtualisation.oci-containers": [],
  "virtualisation.podman": [],
};

function namesOf(lib: string, options: string): Readonly<Record<string, readonly string[]>> {
  const expression = `import ${root}/scripts/option-coverage.nix { lib = import ${lib}; options = ${options}; places = builtins.fromJSON ''${JSON.stringify(Object.keys(places))}''; }`;
  const state = fs.mkdtempSync(path.join(os.tmpdir(), "firn-coverage-"));
  try {
    const { status, stdout, stderr } = spawnSync(
      reference,
      ["nix-instantiate", "--eval", "--strict", "--json", "-E", expression],
      {
        encoding: "utf8",
        maxBuffer: 1 << 28,
        env: { ...process.env, REAL_NIX_STATE: state, REAL_NIX_BIND: [root, nixpkgs].join(":") },
      },
    );
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Record<string, string[]>;
  } finally {
    fs.rmSync(state, { recursive: true, force: true });
  }
}

const module = '{ nixpkgs.hostPlatform = "x86_64-linux"; }';
const theirs = namesOf(
  `${nixpkgs}/lib`,
  `(import ${nixpkgs}/nixos/lib/eval-config.nix { system = "x86_64-linux"; modules = [ ${module} ]; }).options`,
);
const ours = namesOf(`${root}/os/lib`, `(import ${root}/os/eval-config.nix { modules = [ ]; }).options`);

let all = 0;
let present = 0;
for (const [place, without] of Object.entries(places)) {
  const wanted = [...new Set(theirs[place] ?? [])].filter((name) => !without.some((pattern) => pattern.test(name)));
  const have = new Set(ours[place] ?? []);
  const found = wanted.filter((name) => have.has(name));
  all += wanted.length;
  present += found.length;
  const share = wanted.length === 0 ? "" : `${Math.round((100 * found.length) / wanted.length)} %`;
  process.stdout.write(
    `${place.padEnd(36)}${`${found.length}`.padStart(5)} of ${`${wanted.length}`.padStart(4)} ${share.padStart(6)}\n`,
  );
  if (flags.missing) for (const name of wanted.filter((name) => !have.has(name))) process.stdout.write(`    ${name}\n`);
}
process.stdout.write(
  `${"all".padEnd(36)}${`${present}`.padStart(5)} of ${`${all}`.padStart(4)} ${`${Math.round((100 * present) / all)} %`.padStart(6)}\n`,
);
