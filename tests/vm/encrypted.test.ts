/** A machine whose disks are encrypted: another installs it, and it asks for its passphrases when it starts. */
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

describe.skipIf(!hasMirror || !hasFirmware || !wanted)("a machine with encrypted disks", () => {
  let place: Place;
  let facts: ReadonlyMap<string, string>;
  /** What the console asked, and what was answered. */
  const asked: string[] = [];

  beforeAll(async () => {
    place = makeSystemsPlace();
    const image = join(place.directory, "disk.img");
    const configuration = join(checkout, "tests/vm/encrypted/installer.nix");
    const args = ["os", "build-image", configuration, "--free", "128M", "-o", image];
    const built = await runProgram(args, { cwd: place.directory, env: place.environment });
    if (built.code !== 0) throw new Error(built.err);
    truncateSync(image, 4 * 1024 ** 3);
    const variables = join(place.directory, "efivars");
    await factsOfMachine({ image, variables });
    const answers = [
      { question: /Passphrase for cryptroot .*: $/, answer: "wrong" },
      { question: /does not open[\s\S]*Passphrase for cryptroot .*: $/, answer: "correct horse" },
      { question: /passphrase for disk .*\(vault\).*$/i, answer: "battery staple" },
    ];
    facts = await factsOfMachine({ image, variables }, (console) => {
      const next = answers[asked.length];
      if (next === undefined || !next.question.test(console)) return undefined;
      asked.push(next.answer);
      return `${next.answer}\r`;
    });
  }, 1_800_000);
  afterAll(() => place?.remove());

  test("asks for the passphrase of its root until it is right, and starts from it", () => {
    expect(asked).toEqual(["wrong", "correct horse", "battery staple"]);
    expect(facts.get("root")).toBe("/dev/mapper/cryptroot ");
    expect(facts.get("device")).toBe("active ../dm- ");
  });

  test("opens its homes by the key on its root", () => {
    expect(facts.get("home")).toBe("/dev/mapper/crypthome a file of home ");
  });

  test("opens what its crypttab names, by a key and by a passphrase", () => {
    expect(facts.get("data")).toBe("/dev/mapper/data a file of data ");
    expect(facts.get("vault")).toBe("/dev/mapper/vault a file of vault ");
  });

  test("swaps to space that no later start can read", () => {
    expect(facts.get("swap")).toBe("1 crypt ");
  });

  test("has no unit that failed", () => {
    expect(facts.get("failed")).toBe("");
  });
});
