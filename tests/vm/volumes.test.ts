/** A machine whose root is a volume on an array, and whose first stage has a secret: another installs it. */
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

describe.skipIf(!hasMirror || !hasFirmware || !wanted)("a machine on volumes", () => {
  let place: Place;
  let facts: ReadonlyMap<string, string>;

  beforeAll(async () => {
    place = makeSystemsPlace();
    const image = join(place.directory, "disk.img");
    const configuration = join(checkout, "tests/vm/volumes/installer.nix");
    const args = ["os", "build-image", configuration, "--free", "128M", "-o", image];
    const built = await runProgram(args, { cwd: place.directory, env: place.environment });
    if (built.code !== 0) throw new Error(built.err);
    truncateSync(image, 4 * 1024 ** 3);
    const variables = join(place.directory, "efivars");
    await factsOfMachine({ image, variables });
    facts = await factsOfMachine({ image, variables });
  }, 2_700_000);
  afterAll(() => place?.remove());

  test("starts from a volume of LVM on an array of two disks", () => {
    expect(facts.get("root")).toBe("/dev/machine/root active ");
    expect(facts.get("array")).toMatch(/^active raid1 vda\d\[\d\] vda\d\[\d\] MD_DEVICES=2 $/);
  });

  test("makes more volumes", () => {
    expect(facts.get("volume")).toMatch(/machine root .*created.* more root $/);
  });

  test("has a secret in its first stage that is not in the store", () => {
    expect(facts.get("secret")).toBe("kept from the store /etc/secret: 600 ");
  });

  test("starts when its array lacks a disk, which is joined again when it is back", () => {
    expect(facts.get("lacking")).toBe("/dev/machine/root [U_] more root ");
    expect(facts.get("again")).toBe("[UU] ");
  });

  test("has no unit that failed", () => {
    expect([facts.get("failed"), facts.get("stillfailed")]).toEqual(["", ""]);
  });
});
