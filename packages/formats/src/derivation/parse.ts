/** Reads ATerm derivations, strictly: what the reference would never write is an error, not a guess. */
import { compareByteStrings } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { parseBareHash } from "../hash/hash.ts";
import { parseMethodAlgorithm } from "../store-path/content-address.ts";
import { defaultStoreDir, parseStorePath } from "../store-path/name.ts";
import type { Derivation, DerivationInput, DerivationOutput } from "./derivation.ts";

const MAX_DYNAMIC_DEPTH = 32;
const UNESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function bad(message: string): FirnError {
  return new FirnError("bad-derivation", message);
}

class Reader {
  readonly text: string;
  at = 0;
  /** Position of the next backslash, kept because searching for it anew in each string would take time quadratic in the text. */
  private backslash = -1;

  constructor(text: string) {
    this.text = text;
  }

  expect(token: string): void {
    if (!this.text.startsWith(token, this.at)) throw bad(`expected string '${token}'`);
    this.at += token.length;
  }

  string(): string {
    this.expect('"');
    const start = this.at;
    const end = this.text.indexOf('"', start);
    if (end < 0) throw bad("unterminated string in derivation");
    if (this.backslash < start) {
      const found = this.text.indexOf("\\", start);
      this.backslash = found < 0 ? this.text.length : found;
    }
    if (this.backslash > end) {
      this.at = end + 1;
      return this.text.slice(start, end);
    }
    const parts: string[] = [];
    let from = start;
    for (let i = this.backslash; ; ) {
      const character = this.text[i];
      if (character === undefined) throw bad("unterminated string in derivation");
      if (character === '"') {
        parts.push(this.text.slice(from, i));
        this.at = i + 1;
        return parts.join("");
      }
      if (character === "\\") {
        const escaped = this.text[i + 1];
        if (escaped === undefined) throw bad("unterminated string in derivation");
        parts.push(this.text.slice(from, i), UNESCAPED[escaped] ?? escaped);
        i += 2;
        from = i;
      } else {
        i++;
        while (i < this.text.length && this.text[i] !== '"' && this.text[i] !== "\\") i++;
      }
    }
  }

  list(item: () => void): void {
    this.expect("[");
    if (this.text[this.at] === "]") {
      this.at++;
      return;
    }
    for (;;) {
      item();
      if (this.text[this.at] === "]") {
        this.at++;
        return;
      }
      this.expect(",");
    }
  }

  strings(): string[] {
    const result: string[] = [];
    this.list(() => result.push(this.string()));
    return result;
  }
}

function sortedSet(items: readonly string[]): string[] {
  return [...new Set(items)].sort(compareByteStrings);
}

function storePath(text: string, storeDir: string): string {
  if (!text.startsWith("/")) throw bad(`bad path '${text}' in derivation`);
  return parseStorePath(text, storeDir);
}

/** Reads the three texts of an output, as {@link outputFields} gives them; error `bad-derivation` or those of paths and hashes. */
export function parseOutputFields(fields: readonly [string, string, string], storeDir: string): DerivationOutput {
  const [path, methodAlgorithm, hash] = fields;
  if (methodAlgorithm === "") {
    if (path === "") return { kind: "deferred" };
    return { kind: "input-addressed", path: storePath(path, storeDir) };
  }
  const { method, algorithm } = parseMethodAlgorithm(methodAlgorithm);
  if (hash === "impure") {
    if (path !== "") throw bad("impure derivation output should not specify output path");
    return { kind: "impure", method, algorithm };
  }
  if (hash === "") {
    if (path !== "") throw bad("content-addressing derivation output should not specify output path");
    return { kind: "floating", method, algorithm };
  }
  storePath(path, storeDir);
  return { kind: "fixed", address: { method, hash: parseBareHash(hash, algorithm) } };
}

function inputNode(reader: Reader, versioned: boolean, depth: number): DerivationInput {
  if (depth > MAX_DYNAMIC_DEPTH) throw bad("derivation inputs are nested too deeply");
  if (!versioned || reader.text[reader.at] === "[") return { outputs: sortedSet(reader.strings()) };
  if (reader.text[reader.at] !== "(") throw bad("invalid inputDrvs entry in derivation");
  reader.expect("(");
  const outputs = sortedSet(reader.strings());
  reader.expect(",");
  const dynamic = new Map<string, DerivationInput>();
  reader.list(() => {
    reader.expect("(");
    const name = reader.string();
    reader.expect(",");
    dynamic.set(name, inputNode(reader, versioned, depth + 1));
    reader.expect(")");
  });
  reader.expect(")");
  return { outputs, dynamic };
}

/**
 * Reads the text of a `.drv` file (a byte string), which has no null bytes: no string of a derivation can. `name` is the derivation's name without `.drv`. Errors `bad-derivation`,
 * `bad-store-path` and those of hashes.
 */
export function parseDerivation(text: string, name: string, storeDir: string = defaultStoreDir): Derivation {
  if (text.includes("\0")) throw bad(`derivation '${name}' contains a null byte`);
  const reader = new Reader(text);
  let versioned = false;
  if (text.startsWith("Derive(")) reader.expect("Derive(");
  else if (text.startsWith("DrvWithVersion(")) {
    reader.expect("DrvWithVersion(");
    const version = reader.string();
    if (version !== "xp-dyn-drv") throw bad(`Unknown derivation ATerm format version '${version}'`);
    reader.expect(",");
    versioned = true;
  } else throw bad("derivation does not start with 'Derive' or 'DrvWithVersion'");

  const outputs = new Map<string, DerivationOutput>();
  reader.list(() => {
    reader.expect("(");
    const id = reader.string();
    reader.expect(",");
    const path = reader.string();
    reader.expect(",");
    const method = reader.string();
    reader.expect(",");
    outputs.set(id, parseOutputFields([path, method, reader.string()], storeDir));
    reader.expect(")");
  });
  reader.expect(",");
  const inputDrvs = new Map<string, DerivationInput>();
  reader.list(() => {
    reader.expect("(");
    const path = storePath(reader.string(), storeDir);
    reader.expect(",");
    inputDrvs.set(path, inputNode(reader, versioned, 0));
    reader.expect(")");
  });
  reader.expect(",");
  const inputSrcs = sortedSet(reader.strings().map((path) => storePath(path, storeDir)));
  reader.expect(",");
  const system = reader.string();
  reader.expect(",");
  const builder = reader.string();
  reader.expect(",");
  const args = reader.strings();
  reader.expect(",");
  const env = new Map<string, string>();
  reader.list(() => {
    reader.expect("(");
    const key = reader.string();
    reader.expect(",");
    env.set(key, reader.string());
    reader.expect(")");
  });
  reader.expect(")");
  if (reader.at !== text.length) throw bad("trailing characters after derivation");
  return { name, outputs, inputDrvs, inputSrcs, system, builder, args, env };
}
