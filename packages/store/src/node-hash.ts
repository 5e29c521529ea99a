/** Hashes by node:crypto, for the formats package; blake3 stays portable because Node lacks it. */
import { createHash, hash } from "node:crypto";
import { type HashBackend, portableHashBackend, useHashBackend } from "@firn/formats";

/** Hashes are plain byte arrays everywhere, so that two of them compare equal whoever made them. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
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
    return plain(hash(algorithm, typeof data === "string" ? Buffer.from(data, "latin1") : data, "buffer"));
  },
};

useHashBackend(nodeHashBackend);
