/** Hashes by node:crypto, for the formats package; blake3 stays portable because Node lacks it. */
import { createHash, hash } from "node:crypto";
import { bytesOf, type HashBackend, portableHashBackend, useHashBackend } from "@firn/formats";

/** Returns a plain byte array, so that hashes of every backend compare equal. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Buffer from which short byte strings, that is most of them, are hashed. No call reads bytes that another left. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

function bytesToHash(data: Uint8Array | string): Uint8Array {
  if (typeof data !== "string") return data;
  if (data.length > scratch.length) return Buffer.from(data, "latin1");
  return scratch.subarray(0, scratch.write(data, "latin1"));
}

/** The backend for Node. */
export const nodeHashBackend: HashBackend = {
  hasher(algorithm) {
    if (algorithm === "blake3") return portableHashBackend.hasher(algorithm);
    const state = createHash(algorithm);
    return { update: (data) => void state.update(data), digest: () => plain(state.digest()) };
  },
  digest(algorithm, data) {
    if (algorithm === "blake3") return portableHashBackend.digest(algorithm, data);
    // A text is had for half of what a buffer costs.
    return bytesOf(hash(algorithm, bytesToHash(data), "binary"));
  },
  hexDigest(algorithm, data) {
    if (algorithm === "blake3") return portableHashBackend.hexDigest(algorithm, data);
    return hash(algorithm, bytesToHash(data), "hex");
  },
};

useHashBackend(nodeHashBackend);
