/** What a container lacks the kernel for: a machine tells facts on its console and ends. */
import { existsSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { debMirrors, loadSettings } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkout, makeSystemsPlace } from "../support/build-systems.ts";
import { type Place, runProgram } from "../support/run-firn.ts";
import { factsOfMachine } from "../support/virtual-machine.ts";

const hasMirror = debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");
const hasFirmware = existsSync("/usr/share/OVMF/OVMF_CODE_4M.fd");
const wanted = process.env.FIRN_VM_TESTS !== undefined;

describe.skipIf(!hasMirror || !hasFirmware || !wanted)("a machine with a kernel of its own", () => {
  let place: Place;
  let facts: ReadonlyMap<string, string>;

  beforeAll(async () => {
    place = makeSystemsPlace();
    const image = join(place.directory, "disk.img");
    const args = [
      "os",
      "build-image",
      join(checkout, "tests/vm/kernel/configuration.nix"),
      "--free",
      "128M",
      "-o",
      image,
    ];
    const built = await runProgram(args, { cwd: place.directory, env: place.environment });
    if (built.code !== 0) throw new Error(built.err);
    // The disk is larger than what was written to it.
    truncateSync(image, 4 * 1024 ** 3);
    facts = await factsOfMachine({ image, variables: join(place.directory, "efivars") });
  }, 900_000);
  afterAll(() => place?.remove());

  test("sends packets through a tunnel of WireGuard, and runs what belongs to it", () => {
    expect([facts.get("tunnel"), facts.get("hook"), facts.get("gone")]).toEqual(["answered", "up", "down"]);
  });

  test("mounts a directory that it serves by NFS", () => {
    expect([facts.get("nfs"), facts.get("mounted")]).toEqual(["data", "nfs4"]);
  });

  test("has grown its root file system to the end of its disk", () => {
    expect(Number(facts.get("size"))).toBeGreaterThan(3400);
  });

  test("tells boot loaders of its variant", () => {
    expect(facts.get("variant")).toBe("{quiet:{org.nixos.bootspec.v1:{");
  });

  test("knows devices, and those that its configuration tells of", () => {
    expect([facts.get("device"), facts.get("maker")]).toEqual(["FIRN_MINE=yes", "Logitech"]);
  });

  test("has no unit that failed", () => {
    expect(facts.get("failed")).toBe("");
  });
});
