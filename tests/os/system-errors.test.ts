import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const refusals: readonly (readonly [what: string, module: string, message: string])[] = [
  [
    "two services on one port",
    "{ services.nginx.defaultHTTPListenPort = 22; }",
    "- services.nginx.virtualHosts and services.openssh.ports both want TCP port 22; give one of them another",
  ],
  [
    "a user of a group that does not exist",
    '{ users.users.carl = { isNormalUser = true; group = "nope"; }; }',
    "- users.users.carl.group is 'nope', a group that does not exist; declare it with users.groups.nope = { }",
  ],
  [
    "a user without a group",
    "{ users.users.carl.isSystemUser = true; }",
    "- users.users.carl.group is not set; name a group, or declare one with users.groups.carl = { } and set it to 'carl'",
  ],
  [
    "a password in plain text",
    '{ users.users.alice.password = "media"; }',
    "- users.users.alice: a plain-text password would be readable by everyone in the store; set 'hashedPasswordFile' (a file outside the store) or 'hashedPassword' (from 'openssl passwd -6')",
  ],
  [
    "two accounts with one id",
    "{ users.users.alice.uid = 1000; users.users.carl = { isNormalUser = true; uid = 1000; }; }",
    "- users.users: the uid 1000 is given to alice and carl",
  ],
  [
    "TLS without a certificate",
    "{ services.nginx.virtualHosts.media.forceSSL = true; }",
    "- services.nginx.virtualHosts.\"media\" serves TLS, but 'sslCertificate' and 'sslCertificateKey' are not both set",
  ],
  [
    "a key in the store",
    '{ services.nginx.virtualHosts.media = { addSSL = true; sslCertificate = "/c"; sslCertificateKey = "/nix/store/k"; }; }',
    '- services.nginx.virtualHosts."media".sslCertificateKey lies in the store, where everyone can read it',
  ],
  [
    "another processor",
    '{ nixpkgs.hostPlatform = "aarch64-linux"; }',
    "- nixpkgs.hostPlatform is 'aarch64-linux', but there is a package set for x86_64-linux only",
  ],
  [
    "commands of iptables",
    '{ networking.firewall.extraCommands = "iptables -A INPUT -j ACCEPT"; }',
    "- networking.firewall.extraCommands: the firewall is nftables', which has no iptables commands; set extraInputRules, extraForwardRules or networking.nftables.tables",
  ],
  [
    "file systems that the kernel does not have",
    '{ boot.supportedFilesystems = [ "zfs" ]; }',
    "- boot.supportedFilesystems: Debian's kernel has no zfs",
  ],
  [
    "an editor that is not there",
    "{ programs.vim.defaultEditor = true; }",
    "- programs.vim.defaultEditor: programs.vim.enable is not set",
  ],
  [
    "a setting that went elsewhere",
    '{ services.postfix.relayHost = "smtp.example.org"; }',
    "- The option definition `services.postfix.relayHost' in `<unknown-file>' no longer has any effect; please remove it.",
  ],
  [
    "a script beside a program",
    '{ systemd.services.x = { script = "true"; serviceConfig.ExecStart = "/bin/true"; }; }',
    "- systemd.services.x: both 'script' and 'serviceConfig.ExecStart' are given",
  ],
];

describe("a system is refused, with what to do, for", () => {
  let place: Place;
  beforeAll(() => {
    place = makePlace();
  });
  afterAll(() => place.remove());
  const evaluate = (module: string) =>
    place.firn(
      "eval",
      "--impure",
      "--expr",
      `(import ${join(checkout, "os/eval-config.nix")} { modules = [ ${join(checkout, "examples/media-server/configuration.nix")} ${module} ]; }).config.system.build.toplevel.drvPath`,
    );

  test.each(refusals)(
    "%s",
    async (_what, module, message) => {
      const { code, err } = await evaluate(module);
      expect([code, err.split("\n").filter((line) => line.trim().startsWith("- "))]).toEqual([
        1,
        [`       ${message}`],
      ]);
    },
    60_000,
  );

  test("and settings without effect are told", async () => {
    const module = `{ services.nginx.enableReload = false; nixpkgs.config.allowUnfree = true; networking.useNetworkd = true;
      fonts.fontDir.enable = true; programs.tmux.withUtempter = true; users.motd = "hello"; security.pam.services.login.showMotd = false; }`;
    const { code, err } = await evaluate(module);
    const told = err.split("\n").filter((line) => line.includes("has no effect"));
    expect([code, told]).toEqual([
      0,
      [
        "trace: warning: this setting has no effect: services.nginx.enableReload = false: a changed configuration is always reloaded",
        "trace: warning: this setting has no effect: nixpkgs.config: Debian's packages are not configured when they are used",
        "trace: warning: this setting has no effect: security.pam.services.<name>.showMotd = false: Debian's services of logins show users.motd (login)",
        "trace: warning: this setting has no effect: fonts.fontDir.enable: there is no X server whose fonts lie in one directory",
        "trace: warning: this setting has no effect: programs.tmux.withUtempter: the program that lists windows among who is logged in is setgid at a fixed place",
      ],
    ]);
  }, 60_000);

  test("nothing when nothing is wrong", async () => {
    const { code, out } = await evaluate("{ }");
    expect([code, out]).toEqual([0, expect.stringMatching(/^"\/nix\/store\/.*-firn-system-media-.*\.drv"\n$/)]);
  }, 60_000);
});
