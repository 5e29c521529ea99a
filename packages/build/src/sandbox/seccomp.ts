/**
 * The system call filter of builds, as a classic BPF program for every calling convention of x86-64 and arm64:
 *
 * - no setuid or setgid bit by any call that gives a file its mode,
 * - no extended attributes and so no access control lists, which archives cannot represent,
 * - no keyrings, which are the invoking user's,
 * - nothing that does such things in ways a filter cannot see (`openat2`, `io_uring`), as if the kernel were too old for it,
 * - in builds that share the machine's network, no Unix sockets with a name: over one in the abstract namespace two builds, or a build
 *   and a program of the machine, would hand each other open files. Pairs of sockets remain.
 */

const LD_W_ABS = 0x20;
const AND = 0x54;
const JEQ = 0x15;
const JSET = 0x45;
const JGE = 0x35;
const RET = 0x06;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
const ENOTSUP = 95;
const EAFNOSUPPORT = 97;
const SETID_BITS = 0o6000;
/** `O_CREAT` and the extra bit of `O_TMPFILE`: the flags with which `open` uses the mode. */
const CREATING = 0o20000100;
const AF_UNIX = 1;
/** `SYS_SOCKET` of i386's `socketcall`, whose further arguments a filter cannot see. */
const SOCKETCALL_SOCKET = 1;
const OFFSET_NR = 0;
const OFFSET_ARCH = 4;
const OFFSET_ARGS = 16;
const X32_BIT = 0x40000000;

/** Calls of one calling convention; numbers from the kernel's system call tables. */
interface CallTable {
  readonly architecture: number;
  /** True when calls may carry the bit of x32. */
  readonly x32?: boolean;
  /** Calls with a mode: number, and position of the mode among the arguments. */
  readonly modes: readonly (readonly [call: number, mode: number])[];
  /** Calls that open files, with positions of flags and mode. */
  readonly opens: readonly (readonly [call: number, flags: number, mode: number])[];
  /** Calls that get and set extended attributes. */
  readonly attributes: readonly number[];
  readonly keyrings: readonly number[];
  readonly socket: number;
  readonly socketcall?: number;
}

/** The same numbers everywhere: `fchmodat2` with the position of its mode. */
const NEW_MODES = [[452, 2]] as const;
/** `setxattrat` and `getxattrat`. */
const NEW_ATTRIBUTES = [463, 464];
/** `openat2`, `io_uring_setup`, `io_uring_enter`, `io_uring_register`. */
const HIDDEN = [437, 425, 426, 427];

const X86_64: CallTable = {
  architecture: 0xc000003e,
  x32: true,
  // chmod, fchmod, fchmodat, creat, mknod, mknodat
  modes: [[90, 1], [91, 1], [268, 2], [85, 1], [133, 1], [259, 2], ...NEW_MODES],
  opens: [
    [2, 1, 2],
    [257, 2, 3],
  ],
  attributes: [188, 189, 190, 191, 192, 193, ...NEW_ATTRIBUTES],
  keyrings: [248, 249, 250],
  socket: 41,
};
const I386: CallTable = {
  architecture: 0x40000003,
  modes: [[15, 1], [94, 1], [306, 2], [8, 1], [14, 1], [297, 2], ...NEW_MODES],
  opens: [
    [5, 1, 2],
    [295, 2, 3],
  ],
  attributes: [226, 227, 228, 229, 230, 231, ...NEW_ATTRIBUTES],
  keyrings: [286, 287, 288],
  socket: 359,
  socketcall: 102,
};
const ARM64: CallTable = {
  architecture: 0xc00000b7,
  // fchmod, fchmodat, mknodat
  modes: [[52, 1], [53, 2], [33, 2], ...NEW_MODES],
  opens: [[56, 2, 3]],
  attributes: [5, 6, 7, 8, 9, 10, ...NEW_ATTRIBUTES],
  keyrings: [217, 218, 219],
  socket: 198,
};
const ARM: CallTable = {
  architecture: 0x40000028,
  modes: [[15, 1], [94, 1], [333, 2], [8, 1], [14, 1], [324, 2], ...NEW_MODES],
  opens: [
    [5, 1, 2],
    [322, 2, 3],
  ],
  attributes: [226, 227, 228, 229, 230, 231, ...NEW_ATTRIBUTES],
  keyrings: [309, 310, 311],
  socket: 281,
};

const TABLES: Readonly<Record<string, readonly CallTable[]>> = { x64: [X86_64, I386], arm64: [ARM64, ARM] };

/** The groups of calls that a filter forbids. */
export interface SeccompOptions {
  /** Setuid and setgid bits, extended attributes, keyrings (setting `filter-syscalls`). */
  readonly files: boolean;
  /** Unix sockets other than pairs. */
  readonly unixSockets: boolean;
}

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number];

/** Loads the low half of an argument. */
function argument(index: number): Instruction {
  return [LD_W_ABS, 0, 0, OFFSET_ARGS + 8 * index];
}

function refuse(error: number): Instruction {
  return [RET, 0, 0, ERRNO | error];
}

/** Runs `body`, which ends with a verdict, when the call in the accumulator is this one. */
function onCall(call: number, body: readonly Instruction[]): Instruction[] {
  return [[JEQ, 0, body.length, call], ...body];
}

const PASS: Instruction = [RET, 0, 0, ALLOW];
const NO_SETID: readonly Instruction[] = [[JSET, 0, 1, SETID_BITS], refuse(EPERM), PASS];

/** Checks for one calling convention; every way through them ends with a verdict. */
function checks(table: CallTable, forbidden: SeccompOptions): Instruction[] {
  const code: Instruction[] = [[LD_W_ABS, 0, 0, OFFSET_NR]];
  if (table.x32 === true) code.push([JGE, 0, 1, X32_BIT], [AND, 0, 0, X32_BIT - 1]);
  for (const call of HIDDEN) code.push(...onCall(call, [refuse(ENOSYS)]));
  if (forbidden.files) {
    for (const call of table.attributes) code.push(...onCall(call, [refuse(ENOTSUP)]));
    for (const call of table.keyrings) code.push(...onCall(call, [refuse(ENOSYS)]));
    for (const [call, mode] of table.modes) code.push(...onCall(call, [argument(mode), ...NO_SETID]));
    for (const [call, flags, mode] of table.opens) {
      code.push(...onCall(call, [argument(flags), [JSET, 1, 0, CREATING], PASS, argument(mode), ...NO_SETID]));
    }
  }
  if (forbidden.unixSockets) {
    const when = (value: number): Instruction[] => [argument(0), [JEQ, 0, 1, value], refuse(EAFNOSUPPORT), PASS];
    code.push(...onCall(table.socket, when(AF_UNIX)));
    if (table.socketcall !== undefined) code.push(...onCall(table.socketcall, when(SOCKETCALL_SOCKET)));
  }
  code.push(PASS);
  return code;
}

/** Returns the program as `bwrap --seccomp` reads it; undefined when nothing is forbidden or the processor has no table. */
export function seccompProgram(forbidden: SeccompOptions, architecture: string = process.arch): Buffer | undefined {
  const tables = TABLES[architecture];
  if (tables === undefined || !(forbidden.files || forbidden.unixSockets)) return undefined;
  const program: Instruction[] = [];
  for (const table of tables) {
    const body = checks(table, forbidden);
    program.push([LD_W_ABS, 0, 0, OFFSET_ARCH], [JEQ, 0, body.length, table.architecture], ...body);
  }
  program.push(refuse(ENOSYS));
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, jumpTrue, jumpFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
