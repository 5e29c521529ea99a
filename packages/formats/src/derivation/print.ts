/** Derivations as ATerm text, byte for byte what the reference writes. */
import { type Derivation, type DerivationInput, derivationOutputPath, outputFields } from "./derivation.ts";

const SPECIAL = /["\\\n\r\t]/;
const ESCAPED: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quote(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`;
  return `"${text.replace(/["\\\n\r\t]/g, (character) => ESCAPED[character]!)}"`;
}

function sorted(names: Iterable<string>): string[] {
  // Byte strings: the engine's own order is that of their bytes.
  return [...names].sort();
}

function plainList(names: Iterable<string>): string {
  const list = sorted(names);
  return list.length === 0 ? "[]" : `["${list.join('","')}"]`;
}

function input(node: DerivationInput): string {
  const outputs = plainList(node.outputs);
  if (node.dynamic === undefined || node.dynamic.size === 0) return outputs;
  const children = sorted(node.dynamic.keys()).map((name) => `("${name}",${input(node.dynamic!.get(name)!)})`);
  return `(${outputs},[${children.join(",")}])`;
}

/** How to print: `maskOutputs` blanks output paths (for hashing), `inputs` replaces the input derivations. */
export interface PrintOptions {
  readonly storeDir?: string;
  readonly maskOutputs?: boolean;
  readonly inputs?: ReadonlyMap<string, DerivationInput>;
}

/** The text of a `.drv` file, a byte string. */
export function printDerivation(derivation: Derivation, options: PrintOptions = {}): string {
  const mask = options.maskOutputs ?? false;
  const dynamic = [...derivation.inputDrvs.values()].some((node) => (node.dynamic?.size ?? 0) > 0);
  const outputs = sorted(derivation.outputs.keys()).map((name) => {
    const path = mask ? "" : (derivationOutputPath(derivation, name, options.storeDir) ?? "");
    return `("${name}","${outputFields(derivation.outputs.get(name)!, path).join('","')}")`;
  });
  const drvs = options.inputs ?? derivation.inputDrvs;
  const inputs = sorted(drvs.keys()).map((path) => `("${path}",${input(drvs.get(path)!)})`);
  const env = sorted(derivation.env.keys()).map(
    (name) => `(${quote(name)},${mask && derivation.outputs.has(name) ? '""' : quote(derivation.env.get(name)!)})`,
  );
  return [
    dynamic ? 'DrvWithVersion("xp-dyn-drv",[' : "Derive([",
    `${outputs.join(",")}],[${inputs.join(",")}],${plainList(derivation.inputSrcs)},`,
    `"${derivation.system}",${quote(derivation.builder)},`,
    `[${derivation.args.map(quote).join(",")}],[${env.join(",")}])`,
  ].join("");
}
