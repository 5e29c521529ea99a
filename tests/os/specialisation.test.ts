/** Variants of a system: switched to, undone, and left again. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { canBootContainers } from "../support/build-systems.ts";
import { bootConfiguration } from "../support/container-machine.ts";
import { addVariants, machineState, prepareMachine, switchMachine } from "../support/file-machine.ts";
import { makePlace } from "../support/run-firn.ts";

describe("a machine that is files", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "firn-variants-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test("runs the variant and starts the system itself, both ways", async () => {
    const { before } = await prepareMachine(root);
    const { system, quiet } = await addVariants(root);
    expect(await switchMachine(root, system, { specialisation: "quiet" })).toMatchObject({
      kind: "done",
      generation: 2,
    });
    expect(machineState(root)).toMatchObject({
      profile: system,
      next: system,
      running: quiet,
      units: { "web.service": "/web-quiet" },
      journal: false,
    });
    expect(readdirSync(join(root, "boot/loader/entries"))).toContain("firn_2_quiet.conf");
    expect(await switchMachine(root, before)).toMatchObject({ kind: "done" });
    expect(machineState(root)).toMatchObject({ running: before, units: { "web.service": "/web-old" } });
    await expect(switchMachine(root, system, { specialisation: "loud" })).rejects.toThrow(
      "specialisation not found: loud",
    );
  });

  test("a variant that does no good is undone, also to another variant", async () => {
    const { before } = await prepareMachine(root);
    const { system, quiet } = await addVariants(root);
    const start = machineState(root);
    const failing = { specialisation: "quiet", failing: ["/web-quiet"] };
    expect(await switchMachine(root, system, failing)).toMatchObject({ kind: "undone" });
    expect(machineState(root)).toEqual(start);
    await switchMachine(root, system, { specialisation: "quiet" });
    const inVariant = machineState(root);
    expect(await switchMachine(root, before, { failing: ["/web-old"] })).toMatchObject({ kind: "undone" });
    expect(machineState(root)).toEqual(inVariant);
    expect(inVariant.running).toBe(quiet);
  });
});

test("a variant is the configuration with what it changes, or one of its own", async () => {
  const place = makePlace();
  try {
    const file = join(place.directory, "work/configuration.nix");
    mkdirSync(join(place.directory, "work"), { recursive: true });
    writeFileSync(
      file,
      `{ config, lib, ... }: {
        networking.hostName = "whole";
        environment.etc.a.text = config.networking.hostName;
        specialisation.fewer.configuration = { networking.hostName = lib.mkForce "fewer"; };
        specialisation.other = { inheritParentConfig = false; configuration.networking.hostName = "other"; };
      }\n`,
    );
    const expression = `let c = (import ${join(import.meta.dirname, "../../os/eval-config.nix")} { modules = [ ${file} ]; }).config;
      of = s: let x = s.configuration; in [ x.networking.hostName (x.environment.etc.a.text or null) x.system.isSpecialisation (builtins.attrNames x.specialisation) ];
      in [ (of c.specialisation.fewer) (of c.specialisation.other) c.system.isSpecialisation ]`;
    const { out, err } = await place.firn("eval", "--impure", "--json", "--expr", expression);
    expect([err, out && JSON.parse(out)]).toEqual([
      "",
      [["fewer", "fewer", true, []], ["other", null, true, []], false],
    ]);
  } finally {
    place.remove();
  }
});

describe.skipIf(!canBootContainers || process.env.FIRN_ALL_STEPS === undefined)("a machine in a container", () => {
  test("switches to its variant, and back", async () => {
    const machine = await bootConfiguration(join(import.meta.dirname, "services/databases"), async (copy) => {
      writeFileSync(
        join(copy, "configuration.nix"),
        `{ modulesPath, lib, ... }: {
          imports = [ (modulesPath + "/profiles/minimal.nix") ];
          boot.isContainer = true;
          systemd.network.wait-online.enable = false;
          environment.etc.what.text = "whole\\n";
          specialisation.other.configuration = {
            environment.etc.what.text = lib.mkForce "other\\n";
            services.cron.enable = true;
          };
        }\n`,
      );
    });
    try {
      const system = await machine.out("readlink /run/current-system");
      await machine.out(`firn os test --store-path ${system} --specialisation other`);
      expect(await machine.out("cat /etc/what; systemctl is-active cron")).toBe("other\nactive");
      await machine.out(`firn os test --store-path ${system}`);
      expect(await machine.out("cat /etc/what; systemctl is-active cron || true")).toBe("whole\ninactive");
    } finally {
      await machine.remove();
    }
  }, 900_000);
});
