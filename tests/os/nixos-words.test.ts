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

  test("has the programs of file systems, manual pages and portals that settings imply", async () => {
    const { out } = await evaluate(`let
      packages = (of {
        boot.supportedFilesystems = [ "nfs" "btrfs" ];
        fileSystems."/share" = { device = "//nas/share"; fsType = "cifs"; };
      }).config.system.debian.packages;
    in [
      (map (name: builtins.elem name packages) [ "nfs-common" "btrfs-progs" "cifs-utils" "xfsprogs" ])
      (of { documentation.man.enable = true; }).config.documentation.enable
      (of { documentation.man.enable = false; }).config.documentation.enable
      (of { xdg.portal.wlr.enable = true; }).config.xdg.portal.enable
    ]`);
    expect(JSON.parse(out)).toEqual([[true, true, true, false], true, false, true]);
  });

  test("gives services of PAM that no package has a file of the usual questions", async () => {
    const { out } = await evaluate(`let
      tree = module: (of module).config.system.debian.etcFallbacks;
      manifest = builtins.fromJSON (builtins.head (tree { security.pam.services.mine = { }; })).manifest;
    in [ manifest.files (tree { security.pam.services.mine.text = "auth required pam_deny.so"; }) ]`);
    const questions = ["auth", "account", "password", "session"].map((kind) => `@include common-${kind}\n`).join("");
    expect(JSON.parse(out)).toEqual([{ "pam.d/mine": { text: questions } }, []]);
  });

  test("adds to what a machine has anyway, as NixOS does", async () => {
    const { out } = await evaluate(`let
      config = (of {
        environment.pathsToLink = [ "/share/zsh" ];
        environment.variables.GOPATH = "$HOME/go";
        environment.sessionVariables.XDG_DATA_HOME = "$HOME/.data";
        environment.systemPackages = [ pkgs.gcc ];
        i18n.extraLocaleSettings = { LC_TIME = "de_DE.UTF-8"; LANGUAGE = "de"; };
        networking.nat = { enable = true; externalInterface = "wan0"; internalInterfaces = [ "lan0" ]; };
        networking.firewall.filterForward = true;
        services.avahi = { enable = true; extraServiceFiles.ssh = "<service-group/>"; };
      }).config;
      lines = file: name: builtins.filter (line: builtins.isString line && builtins.match ".*\${name}.*" line != null) (builtins.split "\n" config.environment.etc.\${file}.text);
    in [
      (builtins.elem "/bin" config.environment.pathsToLink)
      (lines "set-environment" "GOPATH") (lines "environment" "XDG_DATA_HOME") (lines "security/pam_env.conf" "XDG_DATA_HOME")
      (builtins.elem "libc6-dev" config.system.debian.packages)
      config.environment.etc."locale".source.locales
      config.networking.firewall.extraForwardRules
      config.environment.etc."avahi/services/ssh.service".mode
      (map (name: builtins.elem "php-\${name}" pkgs.php.extensionPackages) [ "mysql" "gd" "redis" ])
    ]`);
    expect(JSON.parse(out)).toEqual([
      true,
      ['export GOPATH="$HOME/go"'],
      [],
      ['XDG_DATA_HOME DEFAULT="@{HOME}/.data"'],
      true,
      ["de_DE.UTF-8"],
      'iifname { "lan0" } oifname "wan0" accept\n',
      "0644",
      [true, true, false],
    ]);
  });
});
