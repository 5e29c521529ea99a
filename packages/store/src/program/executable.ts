/** Files that the kernel runs: Node ends a process without a word where the kernel refuses what was to replace it. */
import { endianness } from "node:os";
import { accessSync, closeSync, constants, openSync, readSync, statSync } from "../fs/files.ts";

/** Numbers of this machine in the header of a program. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183, riscv64: 243 };
const LOADER = 3;
const maxScripts = 4;

/** Tells whether the kernel certainly runs a file: a program of this machine whose loader is there, or a script with such an interpreter. */
export function isExecutable(path: string, depth = 0): boolean {
  let file: number | undefined;
  try {
    if (!statSync(path).isFile()) return false;
    accessSync(path, constants.X_OK);
    file = openSync(path, "r");
    const head = readAt(file, 0, 512);
    if (head.toString("latin1", 0, 2) === "#!") {
      const interpreter = /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString("latin1"))?.[1];
      return depth < maxScripts && interpreter !== undefined && isExecutable(interpreter, depth + 1);
    }
    return isProgram(file, head);
  } catch (error) {
    if (error instanceof Error && "syscall" in error) return false;
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, position));
}

/** Tells whether a file is a 64-bit program for this processor, with a loader that is there if it names one. */
function isProgram(file: number, head: Buffer): boolean {
  if (head.length < 64 || head.toString("latin1", 0, 4) !== "\x7fELF" || endianness() !== "LE") return false;
  if (head[4] !== 2 || head.readUInt16LE(18) !== machines[process.arch]) return false;
  const size = head.readUInt16LE(54);
  const headers = readAt(file, Number(head.readBigUInt64LE(32)), size * head.readUInt16LE(56));
  for (let at = 0; at + 56 <= headers.length && size >= 56; at += size) {
    if (headers.readUInt32LE(at) !== LOADER) continue;
    const name = readAt(file, Number(headers.readBigUInt64LE(at + 8)), Number(headers.readBigUInt64LE(at + 32)));
    accessSync(name.toString("latin1").replace(/\0.*$/s, ""), constants.X_OK);
  }
  return true;
}
