/**
 * The system call filter of builds, as a classic BPF program: no setuid or setgid bits, no extended attributes. x86-64 with its two
 * other calling conventions, and arm64.
 */

const LD_W_ABS = 0x20;
const JEQ = 0x15;
const JSET = 0x45;
const JGE = 0x35;
const RET = 0x06;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOTSUP = 95;
const SETID_BITS = [0o4000, 0o2000];
const OFFSET_NR = 0;
const OFFSET_ARCH = 4;
const OFFSET_ARGS = 16;
const X32_BIT = 0x40000000;

interface CallTable {
  readonly architecture: number;
  /** chmod-like calls: number and index of the mode argument. */
  readonly modes: readonly (readonly [number, number])[];
  readonly attributes: readonly number[];
}

const X86_64: CallTable = {
  architecture: 0xc000003e,
  modes: [
    [90, 1],
    [91, 1],
    [268, 2],
    [452, 2],
  ],
  attributes: [191, 192, 193, 188, 189, 190],
};
const I386: CallTable = {
  architecture: 0x40000003,
  modes: [
    [15, 1],
    [94, 1],
    [306, 2],
    [452, 2],
  ],
  attributes: [229, 230, 231, 226, 227, 228],
};
const ARM64: CallTable = {
  architecture: 0xc00000b7,
  modes: [
    [52, 1],
    [53, 2],
    [452, 2],
  ],
  attributes: [8, 9, 10, 5, 6, 7],
};

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number];

/** Checks for one architecture; falls through to ALLOW at its end. */
function checks(table: CallTable): Instruction[] {
  const code: Instruction[] = [[LD_W_ABS, 0, 0, OFFSET_NR]];
  if (table === X86_64) {
    // x32 calls carry a bit in their number; without it they are the same.
    code.push([JGE, 0, 1, X32_BIT], [0x54, 0, 0, X32_BIT - 1]);
  }
  for (const call of table.attributes) code.push([JEQ, 0, 1, call], [RET, 0, 0, ERRNO | ENOTSUP]);
  for (const [call, argument] of table.modes) {
    const body: Instruction[] = [[LD_W_ABS, 0, 0, OFFSET_ARGS + 8 * argument]];
    for (const bits of SETID_BITS) body.push([JSET, 0, 1, bits], [RET, 0, 0, ERRNO | EPERM]);
    body.push([RET, 0, 0, ALLOW]);
    code.push([JEQ, 0, body.length, call], ...body);
  }
  code.push([RET, 0, 0, ALLOW]);
  return code;
}

/** The program as `bwrap --seccomp` reads it; undefined for processors it has no table for. */
export function seccompProgram(architecture: string = process.arch): Buffer | undefined {
  const tables = architecture === "x64" ? [X86_64, I386] : architecture === "arm64" ? [ARM64] : undefined;
  if (tables === undefined) return undefined;
  const program: Instruction[] = [];
  for (const table of tables) {
    const body = checks(table);
    program.push([LD_W_ABS, 0, 0, OFFSET_ARCH], [JEQ, 0, body.length, table.architecture], ...body);
  }
  program.push([RET, 0, 0, ALLOW]);
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, jumpTrue, jumpFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
