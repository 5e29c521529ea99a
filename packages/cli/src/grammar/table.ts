/** Every command: its words, a one-line description, and its module. Nothing here loads a command. */
import type { CommandEntry, CommandTable } from "./command.ts";

const main = "Main commands";
const packages = "Packages, profiles and flakes";
const systems = "Systems";
const stores = "Stores and caches";
const tools = "Utilities";

const old = "Old commands";
const internal = "Internal commands";

/** The commands that nearly always evaluate, groups included. */
const evaluating: ReadonlySet<string> = new Set([
  ...["run", "build", "shell", "develop", "print-dev-env", "eval", "repl", "search", "os"],
  ...["nix-build", "nix-env", "nix-instantiate", "nix-shell"],
]);

function entry(category: string, path: string, description: string, load: CommandEntry["load"]): CommandEntry {
  const words = path.split(" ");
  const style = category === old ? "old" : category === internal ? "internal" : "new";
  return { category, style, path: words, description, evaluates: evaluating.has(words[0] ?? ""), load };
}

/** The commands of the new command line, in the order of the help. */
export const commandTable: CommandTable = [
  entry(main, "run", "run a Nix application", async () => (await import("../commands/run.ts")).command),
  entry(
    main,
    "build",
    "build a derivation or fetch a store path",
    async () => (await import("../commands/build.ts")).command,
  ),
  entry(
    main,
    "shell",
    "run a shell in which the specified packages are available",
    async () => (await import("../commands/shell.ts")).command,
  ),
  entry(
    main,
    "develop",
    "run a bash shell that provides the build environment of a derivation",
    async () => (await import("../commands/develop.ts")).command,
  ),
  entry(
    main,
    "print-dev-env",
    "print shell code that can be sourced by bash to reproduce the build environment of a derivation",
    async () => (await import("../commands/print-dev-env.ts")).command,
  ),
  entry(main, "eval", "evaluate a Nix expression", async () => (await import("../commands/eval.ts")).command),
  entry(
    main,
    "repl",
    "start an interactive environment for evaluating Nix expressions",
    async () => (await import("../commands/repl.ts")).command,
  ),
  entry(main, "search", "search for packages", async () => (await import("../commands/search.ts")).command),
  entry(
    main,
    "log",
    "show the build log of the specified packages or paths, if available",
    async () => (await import("../commands/log.ts")).command,
  ),
  entry(main, "copy", "copy paths between Nix stores", async () => (await import("../commands/copy.ts")).command),
  entry(
    main,
    "path-info",
    "query information about store paths",
    async () => (await import("../commands/path-info.ts")).command,
  ),
  entry(
    main,
    "why-depends",
    "show why a package has another package in its closure",
    async () => (await import("../commands/why-depends.ts")).command,
  ),
  entry(
    packages,
    "profile add",
    "add a package to a profile",
    async () => (await import("../commands/profile-add.ts")).command,
  ),
  entry(
    packages,
    "profile install",
    "deprecated alias to profile add",
    async () => (await import("../commands/profile-add.ts")).install,
  ),
  entry(
    packages,
    "profile list",
    "list packages in the profile",
    async () => (await import("../commands/profile-list.ts")).command,
  ),
  entry(
    packages,
    "profile remove",
    "remove packages from a profile",
    async () => (await import("../commands/profile-remove.ts")).command,
  ),
  entry(
    packages,
    "profile upgrade",
    "upgrade packages using their most recent flake",
    async () => (await import("../commands/profile-upgrade.ts")).command,
  ),
  entry(
    packages,
    "profile rollback",
    "roll back to the previous version or a specified version of a profile",
    async () => (await import("../commands/profile-rollback.ts")).command,
  ),
  entry(
    packages,
    "profile history",
    "show all versions of a profile",
    async () => (await import("../commands/profile-history.ts")).command,
  ),
  entry(
    packages,
    "profile diff-closures",
    "show the closure difference between each version of a profile",
    async () => (await import("../commands/profile-diff-closures.ts")).command,
  ),
  entry(
    packages,
    "profile wipe-history",
    "delete non-current versions of a profile",
    async () => (await import("../commands/profile-wipe-history.ts")).command,
  ),
  entry(
    packages,
    "flake lock",
    "create missing lock file entries",
    async () => (await import("../commands/flake-lock.ts")).command,
  ),
  entry(
    packages,
    "flake update",
    "update flake lock file",
    async () => (await import("../commands/flake-update.ts")).command,
  ),
  entry(
    packages,
    "flake metadata",
    "show flake metadata",
    async () => (await import("../commands/flake-metadata.ts")).command,
  ),
  entry(
    packages,
    "flake info",
    "show flake metadata",
    async () => (await import("../commands/flake-metadata.ts")).command,
  ),
  entry(
    packages,
    "flake init",
    "create a flake in the current directory from a template",
    async () => (await import("../commands/flake-new.ts")).initCommand,
  ),
  entry(
    packages,
    "flake new",
    "create a flake in the specified directory from a template",
    async () => (await import("../commands/flake-new.ts")).newCommand,
  ),
  entry(
    packages,
    "flake clone",
    "clone flake repository",
    async () => (await import("../commands/flake-clone.ts")).command,
  ),
  entry(
    packages,
    "flake archive",
    "copy a flake and all its inputs to a store",
    async () => (await import("../commands/flake-archive.ts")).command,
  ),
  entry(
    packages,
    "flake prefetch",
    "download the source tree denoted by a flake reference into the Nix store",
    async () => (await import("../commands/flake-prefetch.ts")).command,
  ),
  entry(
    packages,
    "flake prefetch-inputs",
    "fetch the inputs of a flake",
    async () => (await import("../commands/flake-prefetch-inputs.ts")).command,
  ),
  entry(
    packages,
    "flake check",
    "check whether the flake evaluates and run its tests",
    async () => (await import("../commands/flake-check.ts")).command,
  ),
  entry(
    packages,
    "flake show",
    "show the outputs provided by a flake",
    async () => (await import("../commands/flake-show.ts")).command,
  ),
  entry(
    packages,
    "registry list",
    "list available Nix flakes",
    async () => (await import("../commands/registry-list.ts")).command,
  ),
  entry(
    packages,
    "registry pin",
    "pin a flake to its current version or to the current version of a flake URL",
    async () => (await import("../commands/registry-pin.ts")).command,
  ),
  entry(
    packages,
    "registry resolve",
    "resolve flake references using the registry",
    async () => (await import("../commands/registry-resolve.ts")).command,
  ),
  entry(
    packages,
    "registry add",
    "add or replace a flake in the user flake registry",
    async () => (await import("../commands/registry-add.ts")).command,
  ),
  entry(
    packages,
    "registry remove",
    "remove a flake from the user flake registry",
    async () => (await import("../commands/registry-add.ts")).remove,
  ),
  entry(
    systems,
    "os option",
    "show options of a configuration",
    async () => (await import("../commands/os-option.ts")).command,
  ),
  entry(systems, "os build", "build a system", async () => (await import("../commands/os-build.ts")).command),
  entry(
    systems,
    "os dry-build",
    "say what building a system would do",
    async () => (await import("../commands/os-build.ts")).dryBuild,
  ),
  entry(
    systems,
    "os switch",
    "build a system, make it the running and the next one",
    async () => (await import("../commands/os-switch.ts")).command,
  ),
  entry(
    systems,
    "os boot",
    "build a system and make it the one to start next",
    async () => (await import("../commands/os-switch.ts")).boot,
  ),
  entry(
    systems,
    "os test",
    "build a system and make it the running one only",
    async () => (await import("../commands/os-switch.ts")).test,
  ),
  entry(
    systems,
    "os dry-activate",
    "build a system and show what switching to it would do",
    async () => (await import("../commands/os-switch.ts")).dryActivate,
  ),
  entry(
    systems,
    "os rollback",
    "go back to an earlier generation of the system",
    async () => (await import("../commands/os-switch.ts")).rollback,
  ),
  entry(
    systems,
    "os build-image",
    "make a disk image of a system",
    async () => (await import("../commands/os-image.ts")).command,
  ),
  entry(
    systems,
    "os build-vm",
    "start a system in a virtual machine",
    async () => (await import("../commands/os-image.ts")).buildVm,
  ),
  entry(
    systems,
    "os install",
    "install a system into a mounted root",
    async () => (await import("../commands/os-install.ts")).command,
  ),
  entry(
    systems,
    "os generate-config",
    "write a first configuration of this machine",
    async () => (await import("../commands/os-generate-config.ts")).command,
  ),
  entry(
    systems,
    "os enter",
    "boot an installed system in a container",
    async () => (await import("../commands/os-enter.ts")).command,
  ),
  entry(
    systems,
    "os list-generations",
    "list the generations of the system",
    async () => (await import("../commands/os-list-generations.ts")).command,
  ),
  entry(
    systems,
    "os diff",
    "show what differs between two systems",
    async () => (await import("../commands/os-diff.ts")).command,
  ),
  entry(
    systems,
    "os confirm",
    "say that a switch waiting for confirmation is fine",
    async () => (await import("../commands/os-recover.ts")).confirm,
  ),
  entry(
    systems,
    "os recover",
    "finish or undo a switch that was interrupted",
    async () => (await import("../commands/os-recover.ts")).command,
  ),
  entry(
    systems,
    "os edit",
    "open the configuration in the editor",
    async () => (await import("../commands/os-edit.ts")).command,
  ),
  entry(
    stores,
    "store gc",
    "perform garbage collection on a Nix store",
    async () => (await import("../commands/store-gc.ts")).command,
  ),
  entry(
    stores,
    "store delete",
    "delete paths from the Nix store",
    async () => (await import("../commands/store-delete.ts")).command,
  ),
  entry(
    stores,
    "store verify",
    "verify the integrity of store paths",
    async () => (await import("../commands/store-verify.ts")).command,
  ),
  entry(
    stores,
    "store sign",
    "sign store paths with a local key",
    async () => (await import("../commands/store-sign.ts")).command,
  ),
  entry(
    stores,
    "derivation add",
    "Add a store derivation",
    async () => (await import("../commands/derivation-add.ts")).command,
  ),
  entry(
    stores,
    "derivation show",
    "show the contents of a store derivation",
    async () => (await import("../commands/derivation-show.ts")).command,
  ),
  entry(
    stores,
    "derivation diff",
    "find the first causes by which two derivations differ",
    async () => (await import("../commands/derivation-diff.ts")).command,
  ),
  entry(
    packages,
    "deb lock",
    "resolve Debian packages and write their lock file",
    async () => (await import("../commands/deb-lock.ts")).command,
  ),
  entry(
    stores,
    "store add",
    "add a file or directory to the Nix store",
    async () => (await import("../commands/store-add.ts")).command,
  ),
  entry(
    stores,
    "store add-path",
    "deprecated alias to store add",
    async () => (await import("../commands/store-add.ts")).command,
  ),
  entry(
    stores,
    "store add-file",
    "add a regular file to the Nix store by its flat hash",
    async () => (await import("../commands/store-add.ts")).addFile,
  ),
  entry(
    stores,
    "store info",
    "test whether a store can be accessed",
    async () => (await import("../commands/store-info.ts")).command,
  ),
  entry(
    stores,
    "store ls",
    "show information about a path in the Nix store",
    async () => (await import("../commands/store-ls.ts")).command,
  ),
  entry(
    stores,
    "store cat",
    "print the contents of a file in the Nix store on stdout",
    async () => (await import("../commands/store-cat.ts")).command,
  ),
  entry(
    stores,
    "store dump-path",
    "serialise a store path to stdout in NAR format",
    async () => (await import("../commands/store-dump-path.ts")).command,
  ),
  entry(
    stores,
    "store path-from-hash-part",
    "get a store path from its hash part",
    async () => (await import("../commands/store-path-from-hash-part.ts")).command,
  ),
  entry(
    stores,
    "store optimise",
    "replace identical files in the store by hard links",
    async () => (await import("../commands/store-optimise.ts")).command,
  ),
  entry(
    stores,
    "store ping",
    "deprecated alias for store info",
    async () => (await import("../commands/store-info.ts")).ping,
  ),
  entry(
    stores,
    "store repair",
    "repair store paths",
    async () => (await import("../commands/store-repair.ts")).command,
  ),
  entry(
    stores,
    "store copy-log",
    "copy build logs between Nix stores",
    async () => (await import("../commands/store-copy-log.ts")).command,
  ),
  entry(
    stores,
    "store copy-sigs",
    "copy store path signatures from substituters",
    async () => (await import("../commands/store-copy-sigs.ts")).command,
  ),
  entry(
    stores,
    "store diff-closures",
    "show what packages and versions were added and removed between two closures",
    async () => (await import("../commands/store-diff-closures.ts")).command,
  ),
  entry(
    stores,
    "store make-content-addressed",
    "rewrite a path or closure to content-addressed form",
    async () => (await import("../commands/store-make-content-addressed.ts")).command,
  ),
  entry(
    stores,
    "store why-alive",
    "show which roots keep a path, and through what",
    async () => (await import("../commands/store-why-alive.ts")).command,
  ),
  entry(
    stores,
    "store prefetch-file",
    "download a file into the Nix store",
    async () => (await import("../commands/store-prefetch-file.ts")).command,
  ),
  entry(
    tools,
    "hash convert",
    "convert between hash formats",
    async () => (await import("../commands/hash-convert.ts")).command,
  ),
  entry(
    tools,
    "hash file",
    "print cryptographic hash of a regular file",
    async () => (await import("../commands/hash-file.ts")).command,
  ),
  entry(
    tools,
    "hash path",
    "print cryptographic hash of the NAR serialisation of a path",
    async () => (await import("../commands/hash-path.ts")).command,
  ),
  entry(
    tools,
    "hash to-base16",
    "convert a hash to base-16 representation (deprecated, use nix hash convert instead)",
    async () => (await import("../commands/hash-to.ts")).toBase16,
  ),
  entry(
    tools,
    "hash to-base32",
    "convert a hash to base-32 representation (deprecated, use nix hash convert instead)",
    async () => (await import("../commands/hash-to.ts")).toBase32,
  ),
  entry(
    tools,
    "hash to-base64",
    "convert a hash to base-64 representation (deprecated, use nix hash convert instead)",
    async () => (await import("../commands/hash-to.ts")).toBase64,
  ),
  entry(
    tools,
    "hash to-sri",
    "convert a hash to SRI representation (deprecated, use nix hash convert instead)",
    async () => (await import("../commands/hash-to.ts")).toSri,
  ),
  entry(
    tools,
    "key generate-secret",
    "generate a secret key for signing store paths",
    async () => (await import("../commands/key-generate-secret.ts")).command,
  ),
  entry(
    tools,
    "key convert-secret-to-public",
    "generate a public key from a secret key read from standard input",
    async () => (await import("../commands/key-convert-secret-to-public.ts")).command,
  ),
  entry(
    tools,
    "nar pack",
    "serialise a path to stdout in NAR format",
    async () => (await import("../commands/nar-pack.ts")).command,
  ),
  entry(
    tools,
    "nar ls",
    "show information about a path inside a NAR file",
    async () => (await import("../commands/nar-ls.ts")).command,
  ),
  entry(
    tools,
    "nar cat",
    "print the contents of a file inside a NAR file on stdout",
    async () => (await import("../commands/nar-cat.ts")).command,
  ),
  entry(
    tools,
    "nar dump-path",
    "serialise a path to stdout in NAR format",
    async () => (await import("../commands/nar-pack.ts")).dumpPathCommand,
  ),
  entry(
    tools,
    "config show",
    "show the Nix configuration or the value of a specific setting",
    async () => (await import("../commands/config-show.ts")).command,
  ),
  entry(tools, "help", "show help about a command", async () =>
    (await import("../commands/help.ts")).helpCommand(commandTable),
  ),
  entry(tools, "compat", "make links under the names of Nix's commands", async () =>
    (await import("../commands/compat.ts")).compatCommand(commandTable),
  ),
  entry(old, "nix-build", "build a Nix expression", async () => (await import("../legacy/nix-build.ts")).command),
  entry(
    old,
    "nix-instantiate",
    "instantiate store derivations from Nix expressions, or evaluate them",
    async () => (await import("../legacy/nix-instantiate.ts")).command,
  ),
  entry(
    old,
    "nix-shell",
    "start an interactive shell based on a Nix expression",
    async () => (await import("../legacy/nix-shell.ts")).command,
  ),
  entry(old, "nix-channel", "manage Nix channels", async () => (await import("../legacy/nix-channel.ts")).command),
  entry(
    old,
    "nix-env",
    "manipulate or query Nix user environments",
    async () => (await import("../legacy/nix-env.ts")).command,
  ),
  entry(
    old,
    "nix-store",
    "manipulate or query the Nix store",
    async () => (await import("../legacy/nix-store.ts")).command,
  ),
  entry(
    old,
    "nix-collect-garbage",
    "delete store paths that nothing uses",
    async () => (await import("../legacy/nix-collect-garbage.ts")).command,
  ),
  entry(
    old,
    "nix-copy-closure",
    "copy a closure to or from a remote machine via SSH",
    async () => (await import("../legacy/nix-copy-closure.ts")).command,
  ),
  entry(
    old,
    "nix-hash",
    "compute the cryptographic hash of a path",
    async () => (await import("../legacy/nix-hash.ts")).command,
  ),
  entry(
    old,
    "nix-prefetch-url",
    "download a file into the store and print its hash",
    async () => (await import("../legacy/nix-prefetch-url.ts")).command,
  ),
  entry(
    internal,
    "__dump-language",
    "print the builtins and constants of the language as JSON",
    async () => (await import("../commands/dump-language.ts")).command,
  ),
];
