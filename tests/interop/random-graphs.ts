/** Random derivation graphs as Nix text, from a seed. */

/** A small generator of pseudo-random numbers (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Random = (below: number) => number;

const hashes: Readonly<Record<string, string>> = {
  sha256: "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
  sha512: "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==",
  sha1: "a9993e364706816aba3e25717850c26c9cd0d89d",
  md5: "900150983cd24fb0d6963f7d28e17f72",
};

interface Made {
  readonly name: string;
  readonly outputs: readonly string[];
}

/** An expression whose value is a list of derivations: `graphs` graphs of a few derivations each. */
export function randomGraphs(seed: number, graphs: number): string {
  const random = randomFrom(seed);
  const lets: string[] = [];
  const all: string[] = [];
  for (let graph = 0; graph < graphs; graph++) {
    const made: Made[] = [];
    const size = 2 + random(6);
    for (let i = 0; i < size; i++) {
      const name = `g${graph}d${i}`;
      const outputs = pick(random, [["out"], ["out"], ["out"], ["out", "dev"], ["dev", "out", "doc"], ["lib"]]);
      lets.push(`  ${name} = ${derivation(random, { name, outputs }, made)};`);
      made.push({ name, outputs });
      all.push(name);
    }
  }
  return `let\n  system = "x86_64-linux";\n${lets.join("\n")}\nin [ ${all.join(" ")} ]\n`;
}

function derivation(random: Random, self: Made, made: readonly Made[]): string {
  if (random(5) === 0) return fixedOutput(random, self);
  const lines = [
    `name = "${pick(random, ["", "x-", "lib+"])}${self.name}${pick(random, ["", "-1.2", ".tar.gz"])}"`,
    "inherit system",
  ];
  lines.push(
    `builder = ${pick(random, ['"/bin/sh"', '"${./src/build.sh}"', made.length > 0 ? `"\${${reference(random, made)}}/bin/sh"` : '"b"'])}`,
  );
  if (random(2) === 0) lines.push(`args = [ ${times(random, 3, () => value(random, made)).join(" ")} ]`);
  if (self.outputs.join() !== "out")
    lines.push(`outputs = [ ${self.outputs.map((output) => `"${output}"`).join(" ")} ]`);
  const structured = random(4) === 0;
  if (structured) {
    lines.push("__structuredAttrs = true");
    lines.push(
      `nested = { a = [ 1 ${value(random, made)} { b = true; } ]; "odd key" = null; n = ${random(100) / 8 + 0.5}; }`,
    );
    if (random(2) === 0) lines.push(`exportReferencesGraph.g = [ ${value(random, made)} ]`);
  } else {
    if (random(3) === 0) lines.push('passAsFile = [ "big" ]', `big = ${value(random, made)}`);
    if (random(4) === 0)
      lines.push("nothing = null", "yes = true", "no = false", `number = ${random(1000)}`, "float = 1.5");
    if (random(4) === 0) lines.push("__ignoreNulls = true", "gone = null");
  }
  for (let i = random(4); i > 0; i--) lines.push(`v${i} = ${value(random, made)}`);
  return `derivation { ${lines.join("; ")}; }`;
}

function fixedOutput(random: Random, self: Made): string {
  const algorithm = pick(random, Object.keys(hashes));
  const mode = pick(random, ["flat", "recursive", "nar"]);
  const sri = algorithm.startsWith("sha") && algorithm !== "sha1";
  const algo = sri && random(2) === 0 ? "" : ` outputHashAlgo = "${algorithm}";`;
  return `derivation { name = "${self.name}-src"; inherit system; builder = "builtin:fetchurl";${algo} outputHash = "${hashes[algorithm]}"; outputHashMode = "${mode}"; url = "https://example.org/${self.name}"; outputs = [ "out" ]; }`.replace(
    'outputs = [ "out" ]; ',
    self.outputs.join() === "out" && random(2) === 0 ? 'outputs = [ "out" ]; ' : "",
  );
}

function reference(random: Random, made: readonly Made[]): string {
  const { name, outputs } = made[random(made.length)] as Made;
  return random(2) === 0 ? name : `(${name}.${pick(random, outputs)} or ${name})`;
}

function value(random: Random, made: readonly Made[]): string {
  const plain = [
    '"plain"',
    '"with \\"quotes\\" \\\\ and\\nlines\\t"',
    '"ünïcode"',
    "./src/file.txt",
    "./src",
    '(placeholder "out")',
    '(builtins.toFile "text" "some text")',
  ];
  const filtered = [
    '(builtins.path { path = ./src; name = "filtered"; filter = p: t: baseNameOf p != "skip"; })',
    '(builtins.filterSource (p: t: t != "directory") ./src)',
    "(builtins.path { path = ./src/file.txt; recursive = false; })",
  ];
  if (made.length === 0) return pick(random, [...plain, ...filtered]);
  const d = reference(random, made);
  const strings = [
    `"\${${d}}"`,
    `"a \${${d}} b \${${reference(random, made)}}/c"`,
    `(toString ${d})`,
    d,
    `[ ${d} "x" ]`,
    `(builtins.toFile "refers" "to \${./src/file.txt}")`,
    `(builtins.unsafeDiscardStringContext "\${${d}}")`,
    `(builtins.unsafeDiscardOutputDependency ${d}.drvPath)`,
    `${d}.drvPath`,
    `(builtins.substring 0 20 "\${${d}}")`,
    `(builtins.replaceStrings [ "nix" ] [ "xin" ] "\${${d}}")`,
    `(builtins.concatStringsSep ":" [ ${d} ./src/file.txt ])`,
    `(builtins.toJSON { a = ${d}; b = [ ./src/file.txt ]; })`,
  ];
  return pick(random, random(3) === 0 ? [...plain, ...filtered] : strings);
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random(items.length)] as Item;
}

function times<Item>(random: Random, most: number, make: () => Item): Item[] {
  return Array.from({ length: random(most + 1) }, make);
}
