/** A machine without UEFI: GRUB starts its generations. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { debMirrors, loadSettings } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkout, makeSystemsPlace } from "../support/build-systems.ts";
import { type Place, runProgram } from "../support/run-firn.ts";
import { factsOfMachine } from "../support/virtual-machine.ts";

const hasMirror = debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");
const hasMachine = ["/usr/bin/qemu-system-x86_64", "/usr/local/bin/qemu-system-x86_64"].some((file) =>
  existsSync(file),
);
const wanted = process.env.FIRN_VM_TESTS !== undefined;

describe.skipIf(!hasMirror || !hasMachine || !wanted)("a machine with a BIOS", () => {
  let place: Place;
  let facts: ReadonlyMap<string, string>;

  beforeAll(async () => {
    place = makeSystemsPlace();
    const image = join(place.directory, "disk.img");
    const configuration = join(checkout, "tests/vm/bios/configuration.nix");
    const args = ["os", "build-image", configuration, "--free", "256M", "-o", image];
    const built = await runProgram(args, { cwd: place.directory, env: place.environment });
    if (built.code !== 0) throw new Error(built.err);
    facts = await factsOfMachine({ image });
  }, 2_700_000);
  afterAll(() => place?.remove());

  test("starts by GRUB, with the parameters of its kernel as they are", () => {
    expect(facts.get("start0")).toBe("the first no UEFI ");
    // GRUB puts the quotes around the whole word, which is the same to the kernel.
    expect(facts.get("words")).toBe('"firn.words=two words" ');
  });

  test("starts a second generation, which its menu has besides the first, and the first again after a rollback", () => {
    expect(facts.get("menu")).toBe("id 'firn-2 id 'firn-1 ");
    expect(facts.get("start1")).toBe("the second no UEFI ");
    expect(facts.get("start2")).toBe("the first no UEFI ");
  });

  test("has a secret in the first stage of the second, which GRUB gives to its kernel", () => {
    expect(facts.get("secret")).toBe("kept from the store ");
  });

  test("has no unit that failed", () => {
    expect([0, 1, 2].map((start) => facts.get(`failed${start}`))).toEqual(["", "", ""]);
  });
});
