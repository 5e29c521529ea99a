/** The builtins on strings. */
import { coerceCopy, coerceMore, contextOfString, force, makeString, textOfString } from "../code/interpret.ts";
import { type Context, mergeContexts } from "../value/context.ts";
import { ContextString, type List, type Slot, type Value } from "../value/value.ts";
import {
  type BuiltinTable,
  coercedArgument,
  fail,
  intArgument,
  listArgument,
  plainArgument,
  stringArgument,
  textArgument,
} from "./arguments.ts";
import { compileRegex, type PosixRegex, RegexSyntaxError } from "./regex.ts";

function regexArgument(slot: Slot, text: string): PosixRegex {
  const pattern = plainArgument(slot, text);
  try {
    return compileRegex(pattern);
  } catch (error) {
    if (error instanceof RegexSyntaxError) throw fail(`invalid regular expression '${pattern}'`);
    throw error;
  }
}

function groupsList(groups: readonly (string | undefined)[]): List {
  return groups.map((group) => (group === undefined ? null : group));
}

function split(a: Slot, b: Slot): Value {
  const regex = regexArgument(a, "while evaluating the first argument passed to builtins.split");
  const whole = stringArgument(b, "while evaluating the second argument passed to builtins.split");
  const text = textOfString(whole);
  const matches = regex.matches(text);
  if (matches.length === 0) return [whole];
  const parts: List = [];
  let last = 0;
  for (const match of matches) {
    parts.push(text.slice(last, match.start), groupsList(match.groups));
    last = match.end;
  }
  parts.push(text.slice(last));
  return parts;
}

function substring(a: Slot, b: Slot, c: Slot): Value {
  const start = intArgument(a, "while evaluating the first argument (the start offset) passed to builtins.substring");
  if (start < 0) throw fail("negative start position in 'substring'");
  const length = intArgument(
    b,
    "while evaluating the second argument (the substring length) passed to builtins.substring",
  );
  if (length === 0) {
    const value = force(c);
    if (typeof value === "string") return "";
    if (value instanceof ContextString) return makeString("", value.context);
  }
  const value = coercedArgument(
    c,
    coerceCopy,
    "while evaluating the third argument (the string) passed to builtins.substring",
  );
  const text = textOfString(value);
  const from = Number(start);
  return makeString(length < 0 ? text.slice(from) : text.slice(from, from + Number(length)), contextOfString(value));
}

function replaceStrings(a: Slot, b: Slot, c: Slot): Value {
  const fromList = listArgument(a, "while evaluating the first argument passed to builtins.replaceStrings");
  const to = listArgument(b, "while evaluating the second argument passed to builtins.replaceStrings");
  if (fromList.length !== to.length) {
    throw fail("'from' and 'to' arguments passed to builtins.replaceStrings have different lengths");
  }
  const from: string[] = [];
  const firstChars = new Uint8Array(256);
  let always = false;
  for (let i = 0; i < fromList.length; i++) {
    const text = textArgument(
      fromList[i]!,
      "while evaluating one of the strings to replace passed to builtins.replaceStrings",
    );
    from.push(text);
    if (text === "") always = true;
    else firstChars[text.charCodeAt(0)] = 1;
  }
  const subject = stringArgument(c, "while evaluating the third argument passed to builtins.replaceStrings");
  const text = textOfString(subject);
  let context: Context | null = contextOfString(subject);
  const replacements: (string | undefined)[] = new Array<string | undefined>(from.length);
  const replacement = (i: number): string => {
    const known = replacements[i];
    if (known !== undefined) return known;
    const value = stringArgument(
      to[i]!,
      "while evaluating one of the replacement strings passed to builtins.replaceStrings",
    );
    context = mergeContexts(context, contextOfString(value));
    replacements[i] = textOfString(value);
    return textOfString(value);
  };
  let out = "";
  let copied = 0;
  let i = 0;
  scan: while (i <= text.length) {
    if (always || (i < text.length && firstChars[text.charCodeAt(i)] === 1)) {
      for (let k = 0; k < from.length; k++) {
        const wanted = from[k]!;
        if (!text.startsWith(wanted, i)) continue;
        out += text.slice(copied, i) + replacement(k);
        if (wanted === "") {
          if (i < text.length) out += text[i];
          i++;
        } else i += wanted.length;
        copied = i;
        continue scan;
      }
    }
    i++;
  }
  return makeString(copied < text.length ? out + text.slice(copied) : out, context);
}

function concatStringsSep(a: Slot, b: Slot): Value {
  const separator = stringArgument(
    a,
    "while evaluating the first argument (the separator string) passed to builtins.concatStringsSep",
  );
  const list = listArgument(
    b,
    "while evaluating the second argument (the list of strings to concat) passed to builtins.concatStringsSep",
  );
  const between = textOfString(separator);
  let context = contextOfString(separator);
  let out = "";
  for (let i = 0; i < list.length; i++) {
    if (i > 0) out += between;
    const item = list[i]!;
    if (typeof item === "string") {
      out += item;
      continue;
    }
    const part = coercedArgument(
      item,
      coerceCopy,
      "while evaluating one element of the list of strings to concat passed to builtins.concatStringsSep",
    );
    if (typeof part === "string") out += part;
    else {
      out += part.text;
      context = mergeContexts(context, part.context);
    }
  }
  return makeString(out, context);
}

export const stringBuiltins: BuiltinTable = {
  toString: {
    arity: 1,
    global: true,
    call: (a: Slot) =>
      coercedArgument(a, coerceMore, "while evaluating the first argument passed to builtins.toString"),
  },
  stringLength: {
    arity: 1,
    call: (a) =>
      textOfString(coercedArgument(a, coerceCopy, "while evaluating the argument passed to builtins.stringLength"))
        .length,
  },
  substring: { arity: 3, call: substring },
  concatStringsSep: { arity: 2, call: concatStringsSep },
  replaceStrings: { arity: 3, call: replaceStrings },
  split: { arity: 2, call: split },
  match: {
    arity: 2,
    call: (a, b) => {
      const regex = regexArgument(a, "while evaluating the first argument passed to builtins.match");
      const text = textArgument(b, "while evaluating the second argument passed to builtins.match");
      const groups = regex.match(text);
      return groups === undefined ? null : groupsList(groups);
    },
  },
};
