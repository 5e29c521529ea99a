/** The templates that come with Firn: each is copied whole and evaluates, with the Debian set by its name in the registry. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

const templates = join(import.meta.dirname, "../../templates");
const names = readdirSync(templates, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
let place: Place;

beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

/** What of each template is evaluated: an attribute, and arguments of the command. */
const evaluated: Readonly<
  Record<string, { readonly attribute: string; readonly drv: string; readonly args?: () => string[] }>
> = {
  os: {
    attribute: "nixosConfigurations.firn.config.system.build.toplevel.drvPath",
    drv: "firn-system-firn-0.1.bookworm",
  },
  "os-desktop": {
    attribute: "nixosConfigurations.desk.config.system.build.toplevel.drvPath",
    drv: "firn-system-desk-0.1.bookworm",
  },
  "nixos-host": {
    attribute: "nixosConfigurations.nixos.drvPath",
    drv: "nixos",
    args: () => ["--override-input", "nixpkgs", `path:${stubNixpkgs()}`],
  },
};

/** Makes a flake whose `lib.nixosSystem` imports the modules of a system and makes a derivation of their host name. */
function stubNixpkgs(): string {
  const directory = join(place.directory, "nixpkgs");
  mkdirSync(directory);
  writeFileSync(
    join(directory, "flake.nix"),
    `{
      outputs = _: {
        lib.nixosSystem = { modules }: derivation {
          name = (import (builtins.head modules) {
            lib = { optional = yes: x: if yes then [ x ] else [ ]; mkDefault = x: x; };
            pkgs.git = "git";
          }).networking.hostName;
          system = "x86_64-linux";
          builder = "/bin/sh";
        };
      };
    }`,
  );
  return directory;
}

test.each(names)("%s", async (name) => {
  const made = await place.firn("flake", "new", name, "-t", `firn#${name}`);
  expect([made.code, made.out]).toEqual([0, ""]);
  const copy = join(place.directory, "work", name);
  expect(readdirSync(copy, { recursive: true }).sort()).toEqual(
    readdirSync(join(templates, name), { recursive: true }).sort(),
  );
  const shell = { attribute: "devShells.x86_64-linux.default.drvPath", drv: "shell" };
  const { attribute, drv, args = () => [] } = { args: undefined, ...(evaluated[name] ?? shell) };
  const { code, out, err } = await place.firn("eval", "--raw", `path:${copy}#${attribute}`, ...args());
  expect([code, err]).toEqual([0, expect.not.stringContaining("error")]);
  expect(out.replace(/^\/nix\/store\/\w{32}-/, "")).toBe(`${drv}.drv`);
});

test("what generate-config writes evaluates as a flake", async () => {
  const root = join(place.directory, "new");
  expect(await place.firn("os", "generate-config", "--flake", "--no-filesystems", "--root", root)).toMatchObject({
    code: 0,
  });
  const toplevel = "nixosConfigurations.firn.config.system.build.toplevel.drvPath";
  const { code, out, err } = await place.firn("eval", "--raw", `path:${root}/etc/nixos#${toplevel}`);
  expect([code, err]).toEqual([0, expect.not.stringContaining("error")]);
  expect(out).toMatch(/-firn-system-firn-0\.1\.bookworm\.drv$/);
});

test("the flake has them all, and a default", async () => {
  const { out } = await place.firn("eval", "--json", "firn#templates", "--apply", "builtins.attrNames");
  expect(JSON.parse(out)).toEqual(["default", ...names].sort());
});
