/**
 * Graphs of flakes made at random, with commands that lock them, and what a run of these gave: exit status, messages and lock file. The graph of a
 * seed is always the same, so that what the reference gave can be kept.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { randomFrom } from "../../scripts/random.ts";

/** A command after files were written, in a graph's directory. */
export interface LockStep {
  readonly files: Readonly<Record<string, string>>;
  /** Directories that are repositories of Git, in which the files are committed. */
  readonly commits: readonly string[];
  /** Words after the program's name; `$WORK` stands for the directory. */
  readonly words: readonly string[];
}

/** What a step gave, without what depends on the directory. */
export interface LockOutcome {
  readonly words: string;
  readonly code: number;
  readonly err: string;
  readonly lock: string | null;
}

const names = ["a", "b", "c", "d"];

/** Returns the steps of the graph of a seed. */
export function lockSteps(seed: number): readonly LockStep[] {
  const random = randomFrom(seed);
  const chance = (part: number): boolean => random() < part;
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const few = (most: number): number => Math.floor(random() * (most + 1));
  const outside = Array.from({ length: 2 + few(3) }, (_, index) => `ext${index}`);
  const repositories = outside.slice(0, -1).filter(() => chance(0.25));
  const inside = ["", ...Array.from({ length: few(2) }, (_, index) => `sub${index}`)];
  const rootIsGit = chance(0.3);
  const somePath = (): string => Array.from({ length: 1 + few(2) }, () => pick(names)).join("/");
  const urlOf = (name: string): string =>
    repositories.includes(name) ? `git+file://$WORK/${name}` : `path:$WORK/${name}`;

  /** The inputs of a flake that may name only `targets`, as lines. */
  const inputsOf = (targets: readonly string[]): string => {
    const lines: string[] = [];
    for (const name of names.slice(0, few(3) + (targets.length > 2 ? 1 : 0))) {
      const kind = random();
      if (targets.length === 0 || kind < 0.12) lines.push(`inputs.${name}.follows = "${somePath()}";`);
      else if (kind < 0.2) lines.push(`inputs.${name} = { url = "${pick(targets)}"; flake = false; };`);
      else if (kind < 0.26)
        lines.push(`inputs.${name} = { type = "indirect"; id = "${pick(["known", "unknown"])}"; };`);
      else lines.push(`inputs.${name}.url = "${pick(targets)}";`);
      if (chance(0.3)) lines.push(`inputs.${name}.inputs.${pick(names)}.follows = "${chance(0.1) ? "" : somePath()}";`);
      if (chance(0.08) && targets.length > 0)
        lines.push(`inputs.${name}.inputs.${pick(names)}.url = "${pick(targets)}";`);
      if (chance(0.08))
        lines.push(`inputs.${name}.inputs.${pick(names)}.inputs.${pick(names)}.follows = "${somePath()}";`);
    }
    return lines.map((line) => `  ${line}\n`).join("");
  };
  const flake = (targets: readonly string[]): string => {
    const implicit = chance(0.1) ? ", known" : "";
    const version = few(99);
    return `{\n${inputsOf(targets)}  outputs = { self${implicit}, ... }: { version = ${version}; };\n}\n`;
  };
  const outsideUrls = outside.map(urlOf);
  const rootFlake = (): string =>
    flake([...outsideUrls, ...outsideUrls, ...inside.slice(1).flatMap((name) => [`path:./${name}`, `./${name}`])]);

  const files: Record<string, string> = {
    "registry.json": `{"version":2,"flakes":[{"from":{"type":"indirect","id":"known"},"to":{"type":"path","path":"$WORK/${outside.at(-1)}"}}]}`,
    "root/flake.nix": rootFlake(),
  };
  for (const [index, name] of inside.entries())
    if (name !== "")
      files[`root/${name}/flake.nix`] = flake([
        ...outsideUrls,
        ...inside.slice(index + 1).map((other) => `path:../${other}`),
      ]);
  for (const [index, name] of outside.entries()) files[`${name}/flake.nix`] = flake(outsideUrls.slice(index + 1));
  const gitRoot = rootIsGit ? ["root"] : [];
  const registry = ["--option", "flake-registry", "$WORK/registry.json"];
  const root = "$WORK/root";
  const steps: LockStep[] = [
    { files, commits: [...repositories, ...gitRoot], words: ["flake", "lock", root, ...registry] },
  ];
  const target = (): string => pick([...outsideUrls, "known"]);
  for (let count = 2 + few(3); count > 0; count--) {
    const kind = random();
    const changed: Record<string, string> = {};
    let words: string[];
    if (kind < 0.35) {
      changed["root/flake.nix"] = rootFlake();
      words = ["flake", "lock", root];
    } else if (kind < 0.55) words = ["flake", "lock", root, "--override-input", somePath(), target()];
    else if (kind < 0.75) {
      const index = few(outside.length - 1);
      changed[`${outside[index]}/flake.nix`] = flake(outsideUrls.slice(index + 1));
      words = ["flake", "update", "--flake", root];
    } else if (kind < 0.9) words = ["flake", "update", somePath(), "--flake", root];
    else words = ["flake", "metadata", root, "--no-write-lock-file"];
    const commits = [...repositories, ...gitRoot].filter((name) =>
      Object.keys(changed).some((file) => file.startsWith(`${name}/`)),
    );
    steps.push({ files: changed, commits, words: [...words, ...registry] });
  }
  return steps;
}

const gitEnvironment = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_DATE: "2020-01-01T00:00:00Z",
  GIT_COMMITTER_DATE: "2020-01-01T00:00:00Z",
};

/** Writes the files of a step in a graph's directory, with fixed times, and commits them. */
export function prepareStep(step: LockStep, work: string): void {
  for (const [name, text] of Object.entries(step.files)) {
    const file = path.join(work, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text.replaceAll("$WORK", work));
  }
  for (const name of step.commits) {
    const git = (...words: string[]): void =>
      void execFileSync(
        "git",
        [
          "-C",
          path.join(work, name),
          "-c",
          "user.name=t",
          "-c",
          "user.email=t@t",
          "-c",
          "init.defaultBranch=main",
          ...words,
        ],
        { env: { PATH: process.env.PATH, ...gitEnvironment }, stdio: "ignore" },
      );
    if (!fs.existsSync(path.join(work, name, ".git"))) git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "change", "--allow-empty");
  }
  // The newest file decides how old an input is.
  for (const name of fs.readdirSync(work, { recursive: true, encoding: "utf8" }))
    if (!name.includes(".git/")) fs.utimesSync(path.join(work, name), 1e9, 1e9);
}

/** Returns what a step gave; unless `exact` is set hashes and revisions, which depend on the directory, are numbered as they come. */
export function lockOutcome(
  step: LockStep,
  work: string,
  { code, err, exact = false }: { readonly code: number; readonly err: string; readonly exact?: boolean },
): LockOutcome {
  const file = path.join(work, "root/flake.lock");
  const lock = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null;
  if (exact) return { words: step.words.join(" "), code, err, lock };
  const seen = new Map<string, string>();
  const plain = (text: string): string =>
    text
      .replaceAll(work, "$WORK")
      .replaceAll(
        /sha256-[A-Za-z0-9+/]{43}=|sha256-[A-Za-z0-9+/%]{43,}?%3D|\b[0-9a-f]{40}\b|\b[0-9a-z]{32}-source\b/g,
        (found) => {
          const key = decodeURIComponent(found);
          const known = seen.get(key) ?? `<${seen.size}>`;
          seen.set(key, known);
          return known;
        },
      );
  return { words: step.words.join(" "), code, err: plain(err), lock: lock === null ? null : plain(lock) };
}
