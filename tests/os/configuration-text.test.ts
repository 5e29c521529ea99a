/** What modules that only write files make of their options: one configuration, evaluated once and not built. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let place: Place;
let answer: {
  system: string;
  etc: Record<string, string>;
  units: Record<string, string>;
  userUnits: Record<string, { text: string; wantedBy: string[] }>;
};

/** As nixos-generate-config writes it for a virtual machine. */
const HARDWARE = `{ config, lib, pkgs, modulesPath, ... }:

{
  imports =
    [ (modulesPath + "/profiles/qemu-guest.nix")
    ];

  boot.initrd.availableKernelModules = [ "ahci" "xhci_pci" "virtio_pci" "sr_mod" "virtio_blk" ];
  boot.initrd.kernelModules = [ ];
  boot.kernelModules = [ ];
  boot.extraModulePackages = [ ];

  fileSystems."/" =
    { device = "/dev/disk/by-uuid/cc0a11bd-d5d4-4b7f-8f47-a31bd8a6f6a3";
      fsType = "ext4";
    };

  fileSystems."/boot" =
    { device = "/dev/disk/by-uuid/6F5A-1D4D";
      fsType = "vfat";
      options = [ "fmask=0077" "dmask=0077" ];
    };

  swapDevices = [ ];

  networking.useDHCP = lib.mkDefault true;

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
  hardware.cpu.intel.updateMicrocode = lib.mkDefault config.hardware.enableRedistributableFirmware;
}
`;

const CONFIGURATION = `{ config, lib, pkgs, ... }:
{
  imports = [ ./hardware-configuration.nix ];
  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  networking.hostName = "nixos";
  time.timeZone = "Europe/Amsterdam";
  i18n.defaultLocale = "en_US.UTF-8";
  console = { font = "Lat2-Terminus16"; keyMap = "us"; };
  users.users.alice = { isNormalUser = true; extraGroups = [ "wheel" ]; packages = with pkgs; [ jq ]; };
  environment.systemPackages = with pkgs; [ vim-tiny curl ];
  services.openssh = {
    enable = true;
    authorizedKeysInHomedir = false;
    authorizedKeysCommand = "/usr/local/bin/keys";
    sftpFlags = [ "-l INFO" ];
    settings = { AllowUsers = [ "alice" "bob" ]; Ciphers = [ "aes256-ctr" "aes128-ctr" ]; };
  };
  system.stateVersion = "26.11";

  nix.settings = { experimental-features = [ "nix-command" "flakes" ]; extra-substituters = [ "https://cache" ]; max-jobs = 4; sandbox = true; };
  nix.extraOptions = "keep-outputs = true";
  nix.registry.mine.to = { type = "path"; path = "/srv/mine"; };
  programs.git = {
    enable = true;
    config = { init.defaultBranch = "main"; url."https://github.com/".insteadOf = [ "gh:" "github:" ]; core.quotePath = false; };
  };
  programs.htop = { enable = true; settings = { hide_kernel_threads = true; fields = [ 0 48 ]; }; };
  programs.ssh.knownHosts."git.example.org" = { publicKey = "ssh-ed25519 AAAA"; extraHostNames = [ "10.0.0.9" ]; };
  programs.vim = { enable = true; defaultEditor = true; };
  services.logrotate.settings."/var/log/a.log" = { frequency = "daily"; rotate = 7; compress = true; postrotate = "systemctl reload a\\n"; };
  services.getty.autologinUser = "alice";
  systemd.user.services.hello = { description = "Hello"; wantedBy = [ "default.target" ]; startAt = [ "daily" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/usr/bin/true"; }; };
  services.nginx = {
    enable = true;
    virtualHosts.site = {
      root = ./site;
      locations."/private".basicAuthFile = pkgs.writeText "users" "alice:x";
      locations."/there".alias = "/srv/there/";
    };
  };
  services.fstrim = { enable = true; interval = "daily"; };
  zramSwap.enable = true;
  boot.tmp.useTmpfs = true;
  networking.bridges.br0.interfaces = [ "eth1" ];
  networking.interfaces.br0.ipv4.addresses = [ { address = "10.1.0.1"; prefixLength = 24; } ];
  networking.vlans.office = { id = 12; interface = "eth0"; };
  networking.wireguard.interfaces.wg0 = {
    ips = [ "10.100.0.1/24" ];
    listenPort = 51820;
    privateKeyFile = "/etc/wireguard/key";
    peers = [ { publicKey = "abc="; allowedIPs = [ "10.100.0.2/32" "10.3.0.0/16" ]; endpoint = "a:1"; persistentKeepalive = 25; } ];
  };
  networking.nat = {
    enable = true;
    internalInterfaces = [ "br0" ];
    externalInterface = "eth0";
    forwardPorts = [ { sourcePort = "8000:8010"; destination = "10.1.0.2:80"; } ];
  };
  networking.wireguard.interfaces.wg1 = {
    privateKeyFile = "/etc/wireguard/key1";
    generatePrivateKeyFile = true;
    fwMark = "0x5";
    table = "1000";
    metric = 7;
    peers = [ { publicKey = "abc="; allowedIPs = [ "10.4.0.0/16" ]; } ];
  };
  networking.wg-quick.interfaces.wg2 = {
    address = [ "10.6.0.1/24" ];
    dns = [ "10.6.0.2" ];
    privateKeyFile = "/etc/wireguard/key2";
    peers = [ { publicKey = "def="; allowedIPs = [ "0.0.0.0/0" ]; endpoint = "b:2"; } ];
  };
  services.nfs.server = { enable = true; exports = "/srv 10.0.0.0/8(rw)"; mountdPort = 4002; };
  environment.variables.SITES = [ ./site "/srv" ];
  systemd.services.page.environment.SITE = ./site;
  systemd.services.page.serviceConfig.ExecStart = "/usr/bin/true";
  services.samba = { enable = true; settings.site.path = ./site; };
}
`;

const QUERY = `let
  inherit (import ${join(root, "os/eval-config.nix")} { modules = [ ./configuration.nix ]; }) config;
  named = names: text: builtins.listToAttrs (map (name: { inherit name; value = text name; }) names);
in
{
  system = config.system.build.toplevel.drvPath;
  etc = named [
    "nix/nix.conf" "nix/registry.json" "gitconfig" "htoprc" "ssh/ssh_known_hosts" "logrotate.conf" "nftables.conf"
    "systemd/network/40-br0.netdev" "systemd/network/40-br0.network" "systemd/network/40-eth1.network"
    "systemd/network/40-office.netdev" "systemd/network/40-eth0.network"
    "systemd/network/40-wg0.netdev" "systemd/network/40-wg0.network" "nginx/nginx.conf"
    "systemd/network/40-wg1.netdev" "systemd/network/40-wg1.network" "exports" "nfs.conf" "set-environment" "ssh/sshd_config" "samba/smb.conf"
  ] (name: config.environment.etc.\${name}.text);
  userUnits = builtins.mapAttrs (_: unit: { inherit (unit) text wantedBy; }) config.systemd.user.units;
  units = named [ "getty@.service" "serial-getty@.service" "fstrim.timer" "tmp.mount" "page.service" ] (name: config.systemd.units.\${name}.text);
}
`;

beforeAll(async () => {
  place = makePlace();
  const directory = join(place.directory, "work", "machine");
  mkdirSync(join(directory, "site"), { recursive: true });
  writeFileSync(join(directory, "site/index.html"), "hello\n");
  writeFileSync(join(directory, "hardware-configuration.nix"), HARDWARE);
  writeFileSync(join(directory, "configuration.nix"), CONFIGURATION);
  writeFileSync(join(directory, "query.nix"), QUERY);
  const { code, out, err } = await place.firn("eval", "--json", "--file", join(directory, "query.nix"));
  if (code !== 0) throw new Error(err);
  answer = JSON.parse(out) as typeof answer;
});
afterAll(() => place.remove());

test("what nixos-generate-config writes is a system here too", () => {
  expect(answer.system).toMatch(/^\/nix\/store\/[0-9a-z]{32}-firn-system-nixos-.*\.drv$/);
});

describe("a file of", () => {
  const cases: [string, string, string][] = [
    [
      "nix.settings, with what adds to others last",
      "nix/nix.conf",
      "deb-mirrors = debian=http://deb.debian.org/debian debian-security=http://deb.debian.org/debian-security\ndeb-snapshots = debian=http://snapshot.debian.org/archive/debian debian-security=http://snapshot.debian.org/archive/debian-security\nexperimental-features = nix-command flakes\nmax-jobs = 4\nnpm-registry = https://registry.npmjs.org\nsandbox = true\nextra-substituters = https://cache\nkeep-outputs = true",
    ],
    [
      "nix.registry",
      "nix/registry.json",
      '{"flakes":[{"exact":true,"from":{"id":"mine","type":"indirect"},"to":{"path":"/srv/mine","type":"path"}}],"version":2}',
    ],
    [
      "git",
      "gitconfig",
      '[core]\n\tquotePath = false\n[init]\n\tdefaultBranch = "main"\n[url "https://github.com/"]\n\tinsteadOf = "gh:"\n\tinsteadOf = "github:"\n',
    ],
    [
      "htop",
      "htoprc",
      "# Global htop configuration\n# To change set: programs.htop.settings.KEY = VALUE;\nfields=0 48\nhide_kernel_threads=1\n",
    ],
    ["hosts known to ssh", "ssh/ssh_known_hosts", "git.example.org,10.0.0.9 ssh-ed25519 AAAA\n"],
    [
      "logrotate, with what is for all rules first, and the rules of nginx",
      "logrotate.conf",
      'weekly\nrotate 4\n\n"/var/log/a.log" {\n  compress\n  daily\n  postrotate\n    systemctl reload a\n  endscript\n  rotate 7\n}\n' +
        '\n"/var/log/nginx/*.log" {\n  compress\n  delaycompress\n  weekly\n  postrotate\n    [ ! -f /run/nginx/nginx.pid ] || kill -USR1 $(cat /run/nginx/nginx.pid)\n  endscript\n  rotate 26\n  su nginx nginx\n}\n',
    ],
    ["a bridge", "systemd/network/40-br0.netdev", "[NetDev]\nKind=bridge\nName=br0\n\n"],
    [
      "the address of a bridge",
      "systemd/network/40-br0.network",
      "[Match]\nName=br0\n\n[Network]\nAddress=10.1.0.1/24\nDHCP=no\n\n",
    ],
    [
      "an interface of a bridge",
      "systemd/network/40-eth1.network",
      "[Match]\nName=eth1\n\n[Network]\nBridge=br0\nDHCP=no\n\n",
    ],
    ["a VLAN", "systemd/network/40-office.netdev", "[NetDev]\nKind=vlan\nName=office\n\n[VLAN]\nId=12\n\n"],
    [
      "the interface under a VLAN, which keeps DHCP",
      "systemd/network/40-eth0.network",
      "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\nVLAN=office\n\n",
    ],
    [
      "a tunnel, with its key by its file",
      "systemd/network/40-wg0.netdev",
      "[NetDev]\nKind=wireguard\nName=wg0\n\n[WireGuard]\nListenPort=51820\nPrivateKeyFile=/etc/wireguard/key\n\n[WireGuardPeer]\nAllowedIPs=10.100.0.2/32\nAllowedIPs=10.3.0.0/16\nEndpoint=a:1\nPersistentKeepalive=25\nPublicKey=abc=\n\n",
    ],
    [
      "the routes of a tunnel",
      "systemd/network/40-wg0.network",
      "[Match]\nName=wg0\n\n[Network]\nAddress=10.100.0.1/24\n\n[Route]\nDestination=10.100.0.2/32\n\n[Route]\nDestination=10.3.0.0/16\n\n",
    ],
    [
      "a tunnel with a mark",
      "systemd/network/40-wg1.netdev",
      "[NetDev]\nKind=wireguard\nName=wg1\n\n[WireGuard]\nFirewallMark=0x5\nPrivateKeyFile=/etc/wireguard/key1\n\n[WireGuardPeer]\nAllowedIPs=10.4.0.0/16\nPublicKey=abc=\n\n",
    ],
    [
      "routes in a table of their own",
      "systemd/network/40-wg1.network",
      "[Match]\nName=wg1\n\n[Route]\nDestination=10.4.0.0/16\nMetric=7\nTable=1000\n\n",
    ],
    ["what NFS shares", "exports", "/srv 10.0.0.0/8(rw)"],
    ["NFS", "nfs.conf", "[general]\npipefs-directory=/run/rpc_pipefs\n[mountd]\nport=4002\n[nfsd]\nthreads=8\n"],
  ];
  test.each(cases)("%s", (_, name, text) => {
    expect(answer.etc[name]).toBe(text);
  });
  test("address translation is part of the firewall's rules", () => {
    expect(answer.etc["nftables.conf"]).toContain(`table ip firn-nat {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname "eth0" tcp dport 8000-8010 dnat to 10.1.0.2:80
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    iifname { "br0" } oifname "eth0" masquerade
  }
}
`);
  });
});

test("paths of the configuration are copied to the store by themselves", () => {
  const text = answer.etc["nginx/nginx.conf"] ?? "";
  expect(text).toMatch(/^ *root \/nix\/store\/\w{32}-site;$/m);
  expect(text).toMatch(/^ *auth_basic_user_file \/nix\/store\/\w{32}-users;$/m);
  expect(text).toMatch(/^ *alias \/srv\/there\/;$/m);
  expect(answer.etc["set-environment"]).toMatch(/^export SITES="\/nix\/store\/\w{32}-site:\/srv"$/m);
  expect(answer.units["page.service"]).toMatch(/^Environment="SITE=\/nix\/store\/\w{32}-site"$/m);
  expect(answer.etc["samba/smb.conf"]).toMatch(/^path = \/nix\/store\/\w{32}-site$/m);
});

test("sshd has the lists that it is given in its own forms", () => {
  const lines = (answer.etc["ssh/sshd_config"] ?? "").split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      "Subsystem sftp internal-sftp -l INFO",
      "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u",
      "AuthorizedKeysCommand /usr/local/bin/keys",
      "AuthorizedKeysCommandUser nobody",
      "AllowUsers alice bob",
      "Ciphers aes256-ctr,aes128-ctr",
    ]),
  );
});

describe("a unit", () => {
  test("of a console logs the user in", () => {
    expect(answer.units["getty@.service"]).toContain(
      "\nExecStart=\nExecStart=-/sbin/agetty --autologin alice --noclear - $TERM\n",
    );
    expect(answer.units["serial-getty@.service"]).toContain("--autologin alice --keep-baud 115200,57600,38400,9600 - ");
  });
  test("of a package gets another time", () => {
    expect(answer.units["fstrim.timer"]).toBe("[Unit]\n\n[Timer]\nOnCalendar=\nOnCalendar=daily\n");
  });
  test("mounts /tmp in memory", () => {
    expect(answer.units["tmp.mount"]).toContain("Options=mode=1777,strictatime,rw,nosuid,nodev,size=50%\nType=tmpfs\n");
  });
  test("of users is there for each of them, with a timer when it says when it starts", () => {
    expect(answer.userUnits).toEqual({
      "hello.service": {
        text: "[Unit]\nDescription=Hello\n\n[Service]\nExecStart=/usr/bin/true\nType=oneshot\n",
        wantedBy: ["default.target"],
      },
      "hello.timer": { text: "[Unit]\n\n[Timer]\nOnCalendar=daily\n", wantedBy: ["timers.target"] },
    });
  });
});
