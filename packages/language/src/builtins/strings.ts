/** The builtins on strings. */

import { coerceCopy, coerceMore, force } from "../code/interpret.ts";
import { largerBuffer, returnBuffer, takeBuffer } from "../heap/buffers.ts";
import { allocateList, elementAt, firstElement, listLength, makeList } from "../heap/list.ts";
import { emptyList, emptyString, heap, heapBytes, isString, nullValue, type Slot, type Value } from "../heap/memory.ts";
import { makeInteger } from "../heap/number.ts";
import {
  allocateString,
  bytesAre,
  type ContextId,
  contextIdOf,
  copyBytes,
  copyOfBytes,
  joinAll,
  makeString,
  makeStringOfBytes,
  partOfString,
  startOf,
  stringLength,
  stringText,
  withContext,
} from "../heap/string.ts";
import { addTable } from "../heap/tables.ts";
import { mergeContexts } from "../value/context.ts";
import {
  type BuiltinTable,
  coercedArgument,
  fail,
  intArgument,
  listArgument,
  nameArgument,
  stringArgument,
} from "./arguments.ts";
import type { OnePass } from "./one-pass.ts";
import { compileRegex, type PosixRegex } from "./regex.ts";
import { RegexSyntaxError } from "./regex-syntax.ts";

/** Compiled patterns by the strings that they were made from. */
const compiled = new Map<Value, PosixRegex>();
const keptPatterns = 1000;

addTable({ sweep: () => compiled.clear() });

function regexArgument(slot: Slot, text: string): PosixRegex {
  const pattern = nameArgument(slot, text);
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  try {
    const regex = compileRegex(stringText(pattern));
    if (compiled.size === keptPatterns) compiled.clear();
    compiled.set(pattern, regex);
    return regex;
  } catch (error) {
    if (error instanceof RegexSyntaxError) throw fail(`invalid regular expression '${stringText(pattern)}'`);
    throw error;
  }
}

function groupsList(groups: readonly (string | undefined)[]): Value {
  if (groups.length === 0) return emptyList;
  return makeList(groups.map((group) => (group === undefined ? nullValue : makeString(group))));
}

function matchInOnePass(pattern: OnePass, text: Value): Value {
  const start = startOf(text);
  if (!pattern.matches(heapBytes, start, start + stringLength(text))) return nullValue;
  const { places } = pattern;
  const groups = allocateList(places.length / 2);
  const first = firstElement(groups);
  for (let i = 0; i < places.length; i += 2) {
    const from = places[i]!;
    const to = places[i + 1]!;
    heap[first + i / 2] = from < 0 || to < 0 ? nullValue : copyOfBytes(start + from, to - from);
  }
  return groups;
}

function split(a: Slot, b: Slot): Value {
  const regex = regexArgument(a, "while evaluating the first argument passed to builtins.split");
  const whole = stringArgument(b, "while evaluating the second argument passed to builtins.split");
  const parts: Value[] = [];
  let last = 0;
  regex.eachMatch(stringText(whole), (start, end, groups) => {
    parts.push(partOfString(whole, last, start - last, 0), groupsList(groups));
    last = end;
  });
  if (parts.length === 0) return makeList([whole]);
  parts.push(partOfString(whole, last, stringLength(whole) - last, 0));
  return makeList(parts);
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
    if (isString(value)) return withContext(emptyString, contextIdOf(value));
  }
  const value = coercedArgument(
    c,
    coerceCopy,
    "while evaluating the third argument (the string) passed to builtins.substring",
  );
  const whole = stringLength(value);
  const from = Math.min(Number(start), whole);
  const count = length < 0 ? whole - from : Math.min(Number(length), whole - from);
  return partOfString(value, from, count, contextIdOf(value));
}

function replaceStrings(a: Slot, b: Slot, c: Slot): Value {
  const fromList = listArgument(a, "while evaluating the first argument passed to builtins.replaceStrings");
  const to = listArgument(b, "while evaluating the second argument passed to builtins.replaceStrings");
  if (listLength(fromList) !== listLength(to)) {
    throw fail("'from' and 'to' arguments passed to builtins.replaceStrings have different lengths");
  }
  const from: Value[] = [];
  const firstBytes = new Uint8Array(256);
  let always = false;
  for (let i = 0; i < listLength(fromList); i++) {
    const wanted = stringArgument(
      elementAt(fromList, i),
      "while evaluating one of the strings to replace passed to builtins.replaceStrings",
    );
    from.push(wanted);
    if (stringLength(wanted) === 0) always = true;
    else firstBytes[heapBytes[startOf(wanted)]!] = 1;
  }
  const subject = stringArgument(c, "while evaluating the third argument passed to builtins.replaceStrings");
  const start = startOf(subject);
  const length = stringLength(subject);
  let context = contextIdOf(subject);
  const replacements: (Value | undefined)[] = new Array<Value | undefined>(from.length);
  const replacement = (i: number): Value => {
    const known = replacements[i];
    if (known !== undefined) return known;
    const value = stringArgument(
      elementAt(to, i),
      "while evaluating one of the replacement strings passed to builtins.replaceStrings",
    );
    context = mergeContexts(context, contextIdOf(value));
    replacements[i] = value;
    return value;
  };
  // There is always room for what is left of the subject.
  let bytes = takeBuffer(length);
  let size = 0;
  let isChanged = false;
  let i = 0;
  scan: while (i <= length) {
    if (always || (i < length && firstBytes[heapBytes[start + i]!] === 1)) {
      for (let k = 0; k < from.length; k++) {
        const wanted = from[k]!;
        const count = stringLength(wanted);
        if (i + count > length || !bytesAre(start + i, wanted)) continue;
        isChanged = true;
        const value = replacement(k);
        const added = stringLength(value);
        const needed = size + added + length - i;
        if (needed > bytes.length) bytes = largerBuffer(bytes, size, needed);
        size = writeBytes(bytes, size, value);
        if (count === 0) {
          if (i < length) bytes[size++] = heapBytes[start + i]!;
          i++;
        } else i += count;
        continue scan;
      }
    }
    if (i < length) bytes[size++] = heapBytes[start + i]!;
    i++;
  }
  const result = isChanged ? makeStringOfBytes(bytes, 0, size, context) : withContext(subject, context);
  returnBuffer(bytes);
  return result;
}

/** Writes the bytes of a string into a buffer; returns where they end. */
function writeBytes(bytes: Uint8Array, at: number, value: Value): number {
  const start = startOf(value);
  const count = stringLength(value);
  if (count > 64) bytes.set(heapBytes.subarray(start, start + count), at);
  else for (let i = 0; i < count; i++) bytes[at + i] = heapBytes[start + i]!;
  return at + count;
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
  let context = contextIdOf(separator);
  const length = listLength(list);
  const parts = new Array<Value>(length);
  let size = 0;
  for (let i = 0; i < length; i++) {
    const item = elementAt(list, i);
    const part = isString(item)
      ? (item as Value)
      : coercedArgument(
          item,
          coerceCopy,
          "while evaluating one element of the list of strings to concat passed to builtins.concatStringsSep",
        );
    parts[i] = part;
    size += stringLength(part);
    const id = contextIdOf(part);
    if (id !== context) context = mergeContexts(context, id);
  }
  return joinSeparated(parts, separator, { size, context });
}

const manyParts = 16;

/** Returns strings of some bytes together one after the other, with another one between them. */
function joinSeparated(
  parts: readonly Value[],
  separator: Value,
  { size, context }: { readonly size: number; readonly context: ContextId },
): Value {
  const count = stringLength(separator);
  if (count === 0 || parts.length < 2) return joinAll(parts, context);
  // What grows by one side is not copied again each time.
  if (parts.length < manyParts || 2 * Math.max(stringLength(parts[0]!), stringLength(parts.at(-1)!)) > size) {
    return joinAll(
      parts.flatMap((part, i) => (i === 0 ? [part] : [separator, part])),
      context,
    );
  }
  const result = allocateString(size + count * (parts.length - 1), context);
  const between = startOf(separator);
  let to = startOf(result);
  for (let i = 0; i < parts.length; i++) {
    if (i > 0) {
      copyBytes(between, to, count);
      to += count;
    }
    const part = parts[i]!;
    const length = stringLength(part);
    copyBytes(startOf(part), to, length);
    to += length;
  }
  return result;
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
      makeInteger(
        stringLength(coercedArgument(a, coerceCopy, "while evaluating the argument passed to builtins.stringLength")),
      ),
  },
  substring: { arity: 3, call: substring },
  concatStringsSep: { arity: 2, call: concatStringsSep },
  replaceStrings: { arity: 3, call: replaceStrings },
  split: { arity: 2, call: split },
  match: {
    arity: 2,
    call: (a, b) => {
      const regex = regexArgument(a, "while evaluating the first argument passed to builtins.match");
      const text = stringArgument(b, "while evaluating the second argument passed to builtins.match");
      const { onePass } = regex;
      if (onePass !== undefined) return matchInOnePass(onePass, text);
      const groups = regex.match(stringText(text));
      return groups === undefined ? nullValue : groupsList(groups);
    },
  },
};
