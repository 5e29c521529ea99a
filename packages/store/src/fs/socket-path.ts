/** Names of Unix sockets: the kernel takes only short ones, and Node only text. */
import path from "node:path";
import * as fs from "./files.ts";

const MAX_SOCKET_PATH = 100;

/** Runs `use` with a name for a socket that fits the kernel's limit, through its open directory when the path is long or no text. */
export function withSocketPath<T>(socket: string, use: (path: string) => T): T {
  if (socket.length <= MAX_SOCKET_PATH && /^[\x01-\x7f]*$/.test(socket)) return use(socket);
  const fd = fs.openSync(path.posix.dirname(socket), "r");
  const result = use(`/proc/self/fd/${fd}/${path.posix.basename(socket)}`);
  // The descriptor must outlive the connection attempt, which Node makes at once.
  setImmediate(() => fs.closeSync(fd));
  return result;
}
