/** Words of NixOS's configurations that mean something of Debian's here. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

describe("a configuration as NixOS has it", () => {
  let place: Place;
  beforeAll(() => {
    place = makePlace();
  });
  afterAll(() => place.remove());
  const evaluate = (expression: string) =>
    place.firn(
      "eval",
      "--impure",
      "--json",
      "--expr",
      `let of = module: import ${join(checkout, "os/eval-config.nix")} { modules = [ module ]; }; pkgs = (of { }).pkgs; in ${expression}`,
    );

  test("names packages as nixpkgs does, and formats of files", async () => {
    const { out } = await evaluate(`[
      pkgs.fd.deb pkgs.dig.deb pkgs.gnumake.deb pkgs.vim-full.deb pkgs.openssl.bin.deb
      ((pkgs.formats.ini { }).generate "x" { a.b = true; }).text
      ((pkgs.formats.toml { }).generate "x" { a = [ 1 2 ]; t.u = "v"; l = [ { n = 1; } ]; }).text
      ((pkgs.formats.systemd { }).generate "x" { Unit.After = [ "a" "b" ]; }).text
    ]`);
    expect(JSON.parse(out)).toEqual([
      "fd-find",
      "bind9-dnsutils",
      "make",
      "vim",
      "openssl",
      "[a]\nb=true\n",
      'a = [1, 2]\n\n[[l]]\nn = 1\n\n[t]\nu = "v"\n',
      "[Unit]\nAfter = a\nAfter = b\n",
    ]);
  });

  test("takes the kernel that the machine needs", async () => {
    const kernel = (module: string): string => `(of (${module})).config.boot.kernelPackage.deb`;
    const { out } = await evaluate(`[
      ${kernel("{ }")}
      ${kernel("{ hardware.enableRedistributableFirmware = true; }")}
      ${kernel("{ pkgs, ... }: { boot.kernelPackages = pkgs.linuxPackages_latest; }")}
    ]`);
    expect(JSON.parse(out)).toEqual([
      expect.stringMatching(/^linux-image-6.*-cloud-amd64$/),
      expect.stringMatching(/^linux-image-6[0-9.-]+-amd64$/),
      expect.stringMatching(/^linux-image-6[0-9.-]+-amd64$/),
    ]);
  });

  test("is told what to add where a name is not locked", async () => {
    const { err } = await evaluate("pkgs.hplip");
    expect(err).toContain("the lock of Debian packages lacks 'hplip'; 'firn deb add hplip' adds it");
    const maker = await evaluate("pkgs.jellyfin");
    expect(maker.err).toContain(
      "'firn deb add --archive jellyfin=https://repo.jellyfin.org/debian --key FILE jellyfin' adds it",
    );
    const python = await evaluate("pkgs.python3.withPackages (modules: [ modules.pyyaml ])");
    expect(python.err).toContain("'firn deb add python3-yaml' adds it");
  });

  test("is told of each option that does not exist, when the value of one cannot be had either", async () => {
    const { err } = await evaluate(
      `(of ({ pkgs, ... }: { services.nonsense.package = pkgs.nonsense; services.other = pkgs.nonsense; boot.none = pkgs.nonsense; })).config.system.build.toplevel.drvPath`,
    );
    for (const name of ["services.nonsense", "services.other", "boot.none"]) expect(err).toContain(`\`${name}'`);
    expect(err).toContain("an option that does not exist");
  });

  test("changes the set of packages by overlays", async () => {
    const { out } = await evaluate(`let x = of {
      nixpkgs.overlays = [ (final: _: { first = "\${final.second}!"; }) (_: prev: { second = "two"; third = prev.first; }) ];
    }; in [ x.pkgs.first x.pkgs.third x.pkgs.jq.deb ]`);
    expect(JSON.parse(out)).toEqual(["two!", "two!", "jq"]);
  });
});
