/** Derivations as ATerm text, byte for byte what the reference writes. */
import { compareByteStrings, sortByteStrings } from "../base/bytes.ts";
import { type Derivation, type DerivationInput, derivationOutputPath, outputFields } from "./derivation.ts";

/** Control characters that ATerm leaves as they are; JSON, which escapes all else alike, does not. */
const control = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;

/** Length in bytes up to which texts are examined byte by byte, which is cheaper than a call of the engine. */
const SHORT = 64;

function quote(text: string): string {
  const size = text.length;
  if (size <= SHORT) {
    let i = 0;
    for (; i < size; i++) {
      const byte = text.charCodeAt(i);
      if (byte < 32 || byte === 34 || byte === 92) break;
    }
    if (i === size) return `"${text}"`;
  }
  const quoted = JSON.stringify(text);
  if (quoted.length === size + 2 || !control.test(text)) return quoted;
  const escaped = text.replace(/["\\]/g, "\\$&");
  return `"${escaped.replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\r", "\\r")}"`;
}

const quotedNames = new Map<string, string>();
const MAX_NAMES = 4096;

/** Quotes the name of a variable as `quote` does, with a cache, because the same names come again and again. */
function quoteName(name: string): string {
  let quoted = quotedNames.get(name);
  if (quoted === undefined) {
    if (quotedNames.size === MAX_NAMES) quotedNames.clear();
    quoted = quote(name);
    quotedNames.set(name, quoted);
  }
  return quoted;
}

function plainList(names: Iterable<string>): string {
  const list = sortByteStrings([...names]);
  return list.length === 0 ? "[]" : `["${list.join('","')}"]`;
}

function input(node: DerivationInput): string {
  const outputs = node.outputs.length === 1 ? `["${node.outputs[0]}"]` : plainList(node.outputs);
  if (node.dynamic === undefined || node.dynamic.size === 0) return outputs;
  const dynamic = node.dynamic;
  const children = sortByteStrings([...dynamic.keys()]).map((name) => `("${name}",${input(dynamic.get(name)!)})`);
  return `(${outputs},[${children.join(",")}])`;
}

/** The text of input derivations: the second list of a derivation. */
export function printInputs(inputs: ReadonlyMap<string, DerivationInput>): string {
  const paths = sortByteStrings([...inputs.keys()]);
  let text = "";
  for (let i = 0; i < paths.length; i++) {
    text += `${i === 0 ? "" : ","}("${paths[i]}",${input(inputs.get(paths[i]!)!)})`;
  }
  return text;
}

/** An output of an input derivation, by the hash that stands for it. */
export interface HashedInput {
  readonly hash: string;
  readonly output: string;
}

/** Prints input derivations as `printInputs` does, with hashes in place of paths. Sorts the list, which may have duplicates. */
export function printHashedInputs(inputs: HashedInput[]): string {
  inputs.sort((a, b) => compareByteStrings(a.hash, b.hash) || compareByteStrings(a.output, b.output));
  let text = "";
  for (let i = 0; i < inputs.length; i++) {
    const { hash, output } = inputs[i]!;
    const before = i === 0 ? undefined : inputs[i - 1]!;
    if (hash !== before?.hash) text += `${i === 0 ? "" : "]),"}("${hash}",["${output}"`;
    else if (output !== before.output) text += `,"${output}"`;
  }
  return inputs.length === 0 ? "" : `${text}])`;
}

/** Options of printing: `maskOutputs` blanks output paths (for hashing), `inputs` replaces the text of the input derivations. */
export interface PrintOptions {
  readonly storeDir?: string;
  readonly maskOutputs?: boolean;
  readonly inputs?: string;
}

/**
 * Prints one derivation several times: with its outputs masked or not, with paths or hashes of its inputs. The common parts
 * of these texts are made once.
 */
export class DerivationPrinter {
  readonly #derivation: Derivation;
  readonly #start: string;
  readonly #outputNames: readonly string[];
  /** Text from the sources to the environment. */
  readonly #middle: string;
  /** Text of the environment between the variables that are named as an output. */
  readonly #between: readonly string[];
  readonly #variables: readonly string[];

  constructor(derivation: Derivation) {
    this.#derivation = derivation;
    let dynamic = false;
    derivation.inputDrvs.forEach((node) => {
      if (node.dynamic !== undefined && node.dynamic.size > 0) dynamic = true;
    });
    this.#start = dynamic ? 'DrvWithVersion("xp-dyn-drv",[' : "Derive([";
    this.#outputNames = sortByteStrings([...derivation.outputs.keys()]);
    const { args, env } = derivation;
    let middle = `],${plainList(derivation.inputSrcs)},"${derivation.system}",${quote(derivation.builder)},[`;
    for (let i = 0; i < args.length; i++) middle += (i === 0 ? "" : ",") + quote(args[i]!);
    this.#middle = `${middle}],[`;
    const between: string[] = [];
    const variables: string[] = [];
    const names = sortByteStrings([...env.keys()]);
    let text = "";
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      text += `${i === 0 ? "" : ","}(${quoteName(name)},`;
      if (derivation.outputs.has(name)) {
        between.push(text);
        variables.push(name);
        text = ")";
      } else text += `${quote(env.get(name)!)})`;
    }
    between.push(text);
    this.#between = between;
    this.#variables = variables;
  }

  /** Returns the text; with `paths` that of the derivation whose deferred outputs have these paths, also where a variable names them. */
  print(options: PrintOptions & { readonly paths?: ReadonlyMap<string, string> | undefined } = {}): string {
    const { outputs, env } = this.#derivation;
    const mask = options.maskOutputs ?? false;
    const { paths, storeDir } = options;
    const names = this.#outputNames;
    let text = this.#start;
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      const path = mask ? "" : (paths?.get(name) ?? derivationOutputPath(this.#derivation, name, storeDir) ?? "");
      const fields = outputFields(outputs.get(name)!, path);
      text += `${i === 0 ? "" : ","}("${name}","${fields[0]}","${fields[1]}","${fields[2]}")`;
    }
    text += `],[${options.inputs ?? printInputs(this.#derivation.inputDrvs)}${this.#middle}`;
    const variables = this.#variables;
    for (let i = 0; i < variables.length; i++) {
      const name = variables[i]!;
      text += this.#between[i]! + (mask ? '""' : quote(env.get(name)! || (paths?.get(name) ?? "")));
    }
    return `${text}${this.#between[variables.length]!}])`;
  }
}

/** The text of a `.drv` file, a byte string. */
export function printDerivation(derivation: Derivation, options: PrintOptions = {}): string {
  return new DerivationPrinter(derivation).print(options);
}
