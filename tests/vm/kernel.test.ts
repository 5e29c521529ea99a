/** What a container lacks the kernel for: a machine tells facts on its console and ends. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { debMirrors, loadSettings } from "@firn/store";
import { startVm } from "@firn/system";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkout, makeSystemsPlace } from "../support/build-systems.ts";
import { type Place, runProgram } from "../support/run-firn.ts";

const hasMirror = debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");
const hasFirmware = existsSync("/usr/share/OVMF/OVMF_CODE_4M.fd");
const wanted = process.env.FIRN_VM_TESTS !== undefined;

describe.skipIf(!hasMirror || !hasFirmware || !wanted)("a machine with a kernel of its own", () => {
  let place: Place;
  const facts = new Map<string, string>();

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
    const vm = startVm({ image, variables: join(place.directory, "efivars"), kvm: false, console: "pipe" });
    let console = "";
    vm.stdout?.on("data", (chunk: Buffer) => {
      console += chunk.toString("latin1");
    });
    const timer = setTimeout(() => vm.kill("SIGKILL"), 500_000);
    await new Promise((resolve) => vm.on("close", resolve));
    clearTimeout(timer);
    for (const [, name = "", text = ""] of console.matchAll(/fact (\w+): ?(.*?)\r?\n/g)) facts.set(name, text);
    if (!facts.has("end")) throw new Error(`the machine did not come to an end:\n${console.slice(-4000)}`);
  }, 900_000);
  afterAll(() => place?.remove());

  test("sends packets through a tunnel of WireGuard, and runs what belongs to it", () => {
    expect([facts.get("tunnel"), facts.get("hook"), facts.get("gone")]).toEqual(["answered", "up", "down"]);
  });

  test("mounts a directory that it serves by NFS", () => {
    expect([facts.get("nfs"), facts.get("mounted")]).toEqual(["data", "nfs4"]);
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
