/** Versions of the protocols as data, and the rule by which two ends agree on one. */
import { protocolError } from "./input.ts";

/** Returns a version as a number that can be compared and sent: the major one in the upper byte. */
export function wireVersion(major: number, minor: number): number {
  return (major << 8) | minor;
}

/** Writes a version as `1.38`. */
export function showWireVersion(version: number): string {
  return `${version >> 8}.${version & 0xff}`;
}

/** The constants that two programs must share to speak a protocol. */
export interface WireProtocol {
  /** Name of the protocol in messages. */
  readonly name: string;
  /** The first number that a client sends. */
  readonly clientMagic: number;
  /** The first number that a server sends. */
  readonly serverMagic: number;
  /** The newest version that is supported here. */
  readonly newest: number;
  /** The oldest version of a server that a client here can use. */
  readonly oldestServer: number;
  /** The oldest version of a client that a server here accepts. */
  readonly oldestClient: number;
}

/** The worker protocol, spoken by `nix-daemon`, for `daemon` and `ssh-ng://` stores. */
export const workerProtocol: WireProtocol = {
  name: "nix-daemon",
  clientMagic: 0x6e697863,
  serverMagic: 0x6478696f,
  newest: wireVersion(1, 38),
  oldestServer: wireVersion(1, 21),
  oldestClient: wireVersion(1, 21),
};

/**
 * The serve protocol, spoken by `nix-store --serve`, for `ssh://` stores. Before 2.5 a server does not tell hashes as clients
 * need them.
 */
export const serveProtocol: WireProtocol = {
  name: "'nix-store --serve'",
  clientMagic: 0x390c9deb,
  serverMagic: 0x5452eecb,
  newest: wireVersion(2, 7),
  oldestServer: wireVersion(2, 5),
  oldestClient: wireVersion(2, 1),
};

/** Returns the version that two ends speak; error `protocol` when the other one is of another major version or too old. */
export function agreedVersion(protocol: WireProtocol, other: "client" | "server", version: number): number {
  const oldest = other === "client" ? protocol.oldestClient : protocol.oldestServer;
  if (version >> 8 !== protocol.newest >> 8 || version < oldest) {
    throw protocolError(`unsupported ${protocol.name} protocol version ${showWireVersion(version)}`);
  }
  return Math.min(version, protocol.newest);
}
