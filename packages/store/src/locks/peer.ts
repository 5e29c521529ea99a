/** The process at the other end of a Unix socket, as the kernel knows it from the time of the connection. */
import type { Socket } from "node:net";
import { libc } from "./libc.ts";

/** Process, user and group of a peer. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SIZE = 12;

/** Returns the credentials of a socket's peer; undefined where the kernel or this machine's installation cannot tell them. */
export function peerCredentials(socket: Socket): PeerCredentials | undefined {
  const fd = descriptorOf(socket);
  const library = libc();
  if (fd === undefined || library === null || process.platform !== "linux") return undefined;
  const value = Buffer.alloc(SIZE);
  if (library.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, new Uint32Array([SIZE])) !== 0) return undefined;
  return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
}

/** The descriptor of a socket, which Node keeps in a field that its types do not name. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return undefined;
  const fd: unknown = Reflect.get(handle, "fd");
  return typeof fd === "number" && fd >= 0 ? fd : undefined;
}
