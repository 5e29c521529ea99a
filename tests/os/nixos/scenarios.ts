/**
 * What nixos-rebuild does, command by command: each scenario is run on a machine that has nothing but an empty store and
 * programs that write down how they are called.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One scenario: commands in order, `REBUILD` standing for the program. */
export interface Scenario {
  readonly name: string;
  /** systemd does not run on the machine. */
  readonly noSystemd?: boolean;
  readonly commands: readonly string[];
}

const a = "--file FILE --attr a";
const b = "--file FILE --attr b";

/** Every scenario. */
export const scenarios: readonly Scenario[] = [
  { name: "switch", commands: [`REBUILD switch ${a}`] },
  { name: "boot", commands: [`REBUILD boot ${a}`] },
  { name: "test", commands: [`REBUILD test ${a}`] },
  { name: "dry-activate", commands: [`REBUILD dry-activate ${a}`] },
  { name: "build", commands: [`REBUILD build ${a}`] },
  { name: "switch twice to one system", commands: [`REBUILD switch ${a}`, `REBUILD switch ${a}`] },
  {
    name: "switch, switch, roll back",
    commands: [`REBUILD switch ${a}`, `REBUILD switch ${b}`, "REBUILD switch --rollback"],
  },
  {
    name: "roll back, then forward is a new switch",
    commands: [`REBUILD switch ${a}`, `REBUILD switch ${b}`, "REBUILD boot --rollback", `REBUILD switch ${b}`],
  },
  { name: "test --rollback", commands: [`REBUILD switch ${a}`, `REBUILD switch ${b}`, "REBUILD test --rollback"] },
  { name: "roll back with nothing before", commands: [`REBUILD switch ${a}`, "REBUILD switch --rollback"] },
  { name: "test --rollback with nothing else", commands: [`REBUILD switch ${a}`, "REBUILD test --rollback"] },
  { name: "a profile of its own", commands: [`REBUILD boot ${a} --profile-name web`, `REBUILD switch ${b} -p web`] },
  { name: "a specialisation", commands: [`REBUILD switch ${a} --specialisation quiet`, `REBUILD test ${b} -c quiet`] },
  { name: "a specialisation that is not there", commands: [`REBUILD switch ${a} --specialisation loud`] },
  { name: "a specialisation with boot", commands: [`REBUILD boot ${a} --specialisation quiet`] },
  { name: "the boot loader anew", commands: [`REBUILD switch ${a} --install-bootloader`] },
  {
    name: "variables that are kept",
    commands: [`NIXOS_NO_CHECK=1 LOCALE_ARCHIVE=/somewhere OTHER=x REBUILD switch ${a}`],
  },
  { name: "without systemd", noSystemd: true, commands: [`REBUILD switch ${a}`] },
  { name: "without systemd-run", commands: [`NIXOS_REBUILD_NO_SYSTEMD_RUN=1 REBUILD switch ${a}`] },
  { name: "a switch that fails", commands: ["echo 4 > /run/exit-status", `REBUILD switch ${a}`] },
  { name: "not a system", commands: ["REBUILD switch --file FILE --attr broken"] },
  {
    name: "a built system by its path",
    commands: [
      `path=$(REBUILD build ${a} 2>/dev/null); REBUILD switch --store-path "$path"; REBUILD test --store-path "$path"`,
    ],
  },
  {
    name: "another machine",
    commands: [`REBUILD switch ${a} --target-host admin@far`, `REBUILD test ${b} --target-host far`],
  },
  {
    name: "another machine, with sudo",
    commands: [`NIX_SUDOOPTS=-n REBUILD boot ${a} --target-host admin@far --elevate sudo --install-bootloader`],
  },
  {
    name: "another machine, with run0",
    commands: [`REBUILD switch ${a} --target-host admin@far --elevate run0 --specialisation quiet`],
  },
  {
    name: "this machine, with sudo and with run0",
    commands: [
      `NIX_SUDOOPTS=-n REBUILD switch ${a} --elevate sudo`,
      `REBUILD test ${b} --elevate run0`,
      `REBUILD switch ${b} --sudo`,
      "REBUILD boot --rollback --elevate run0",
    ],
  },
  {
    name: "a password for sudo, here and there",
    commands: [
      `echo secret | REBUILD switch ${a} --elevate sudo --ask-elevate-password`,
      `echo secret | REBUILD test ${b} --target-host admin@far --ask-sudo-password`,
    ],
  },
  {
    name: "channels are updated first",
    commands: [
      "mkdir -p /nix/var/nix/profiles/per-user/root/channels/nixos /nix/var/nix/profiles/per-user/root/channels/other",
      `REBUILD build ${a} --upgrade`,
      `REBUILD test ${a} --upgrade-all --elevate sudo`,
      "touch /nix/var/nix/profiles/per-user/root/channels/other/.update-on-nixos-rebuild",
      `REBUILD test ${a} --upgrade`,
    ],
  },
  {
    name: "a virtual machine",
    commands: [`REBUILD build-vm ${a}`, `REBUILD build-vm-with-bootloader ${a}`],
  },
  {
    name: "an image of a variant",
    commands: [
      `REBUILD build-image ${a} --image-variant raw`,
      `REBUILD build-image ${a} --image-variant oso`,
      `REBUILD build-image ${a}`,
    ],
  },
  {
    name: "list-generations",
    commands: [
      `REBUILD switch ${a}`,
      `REBUILD switch ${b}`,
      "REBUILD list-generations",
      "REBUILD list-generations --json",
    ],
  },
];

/** This directory; the file that scenarios build lies in it. */
export const directory = fileURLToPath(new URL(".", import.meta.url));

/**
 * Runs a scenario in the reference's root with a store of its own. `program` is the command in place of `REBUILD`, `visible` what it needs
 * of the machine. Returns what was printed and called, without what differs from run to run.
 */
export function runScenario(
  scenario: Scenario,
  options: { readonly program: string; readonly visible: readonly string[]; readonly verbose?: boolean },
): string {
  const state = mkdtempSync(join(tmpdir(), "firn-nixos-"));
  const work = join(state, "work");
  const lines = [
    "set -u",
    "mount -t tmpfs tmpfs /run",
    "mkdir -p /run/bin",
    scenario.noSystemd === true ? "" : "mkdir -p /run/systemd/system",
    // Tells its arguments, then starts the program after the last of them, with the variables it was to keep.
    `cat > /run/bin/systemd-run <<'X'
#!/bin/sh
echo "systemd-run: $*" >> /run/calls.log
clean= variables=
while true; do
  case $1 in
    -E) shift 2 ;;
    --uid=0) clean=1; shift ;;
    --setenv=*) variables="$variables \${1#--setenv=}"; shift ;;
    --) shift; break ;;
    -*) shift ;;
    *) break ;;
  esac
done
# A unit of root's has the variables that it is given and no others.
if [ -n "$clean" ]; then exec env -i $variables "$@"; fi
exec "$@"
X`,
    // Tells what is to be run on the other machine, and runs it here; copying is each program's own matter.
    `cat > /run/bin/ssh <<'X'
#!/bin/sh
case "$*" in *"-O "*) exit 1 ;; esac
case "$*" in *"LocalCommand=echo started"*) echo started ;; esac
while [ $# -gt 0 ] && [ "$1" != -- ]; do host=$1; shift; done
shift
case "$*" in *"nix-store --serve"*) ;; *) echo "ssh: $host: $*" >> /run/calls.log ;; esac
exec sh -c "$*"
X`,
    `printf '#!/bin/sh\\necho "sudo: $*" >> /run/calls.log; while true; do case $1 in --stdin) read -r word; echo "sudo: password $word" >> /run/calls.log; shift ;; -*) shift ;; *) break ;; esac; done; exec "$@"\\n' > /run/bin/sudo`,
    `printf '#!/bin/sh\\necho "run0: $*" >> /run/calls.log; shift; exec "$@"\\n' > /run/bin/run0`,
    `printf '#!/bin/sh\\necho "nix-channel: $*" >> /run/calls.log\\n' > /run/bin/nix-channel`,
    "chmod +x /run/bin/systemd-run /run/bin/ssh /run/bin/sudo /run/bin/run0 /run/bin/nix-channel",
    "export PATH=/run/bin:/usr/bin:/bin:/usr/sbin:/sbin TZ=UTC",
    `mkdir -p ${work}; cd ${work}`,
    ...scenario.commands.flatMap((command) => [
      ": > /run/calls.log",
      `echo '$ ${command.replaceAll("'", "'\\''")}'`,
      `( ${command.replaceAll(/(?<!_)REBUILD/g, options.program).replaceAll("FILE", `${directory}system.nix`)} ) > /run/out 2>/run/err`,
      'echo "status: $?"',
      "sed 's/^/stdout: /' /run/out",
      options.verbose === true ? "cat /run/err >&2" : "",
      // Messages are each program's own; what the switching program prints must be among them.
      "grep -o 'output of .*' /run/err | sed 's/^/stderr: /'",
      "cat /run/calls.log",
      'for link in result; do if [ -L $link ]; then echo "link: $link -> $(readlink $link)"; rm $link; fi; done',
    ]),
    "echo 'generations:'",
    'for link in /nix/var/nix/profiles/system* /nix/var/nix/profiles/system-profiles/*; do if [ -L "$link" ]; then echo "$link -> $(readlink "$link")"; fi; done',
    "exit 0",
  ];
  try {
    const text = execFileSync(process.env.FIRN_REAL_NIX ?? "", ["bash", "-c", lines.join("\n")], {
      cwd: state,
      encoding: "utf8",
      env: {
        ...process.env,
        HOME: "/root",
        REAL_NIX_STATE: state,
        REAL_NIX_BIND: [state, directory, ...options.visible].join(":"),
        NIX_CONFIG: "build-users-group =\nexperimental-features = nix-command flakes\nsubstituters =\nsandbox = false",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    return text.replaceAll(/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}/g, "DATE");
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
