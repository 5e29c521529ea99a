/** The texts of a new machine's `hardware-configuration.nix` and `configuration.nix`. */
import type { Hardware } from "../machine/hardware.ts";

/** Returns the text of `hardware-configuration.nix` for some {@link Hardware}; without `fileSystems` these are left out. */
export function hardwareConfiguration(hardware: Hardware, options: { readonly fileSystems: boolean }): string {
  // A machine that is no guest has the firmware of its devices, and with it the kernel that has all drivers.
  const imports = [
    `(modulesPath + "/${hardware.qemu ? "profiles/qemu-guest.nix" : "installer/scan/not-detected.nix"}")`,
  ];
  const microcode =
    hardware.qemu || hardware.processor === undefined
      ? ""
      : `  hardware.cpu.${hardware.processor}.updateMicrocode = lib.mkDefault config.hardware.enableRedistributableFirmware;\n`;
  const mounts = hardware.fileSystems.map(
    ({ mountPoint, device, fsType, options: given }) => `
  fileSystems.${quoted(mountPoint)} = {
    device = ${quoted(device)};
    fsType = ${quoted(fsType)};${given.length === 0 ? "" : `\n    options = ${list(given)};`}
  };
`,
  );
  const swap = `
  swapDevices = [${hardware.swapDevices.map((device) => ` { device = ${quoted(device)}; }`).join("")} ];
`;
  return `# Made by 'firn os generate-config', which writes it anew each time: changes belong into configuration.nix.
{ config, lib, modulesPath, ... }:
{
  imports = [${imports.map((text) => ` ${text}`).join("")} ];

  boot.initrd.availableKernelModules = ${list(hardware.initrdModules)};
  boot.initrd.kernelModules = [ ];
  boot.kernelModules = ${list(hardware.kernelModules)};
${options.fileSystems ? mounts.join("") + swap : ""}
  nixpkgs.hostPlatform = lib.mkDefault ${quoted(hardware.system)};
${microcode}}
`;
}

/** Returns the text of a first `configuration.nix`. */
export function firstConfiguration(hardware: Hardware, stateVersion: string): string {
  return `# What this machine is. 'firn os option NAME' explains an option; 'firn os switch' makes it so.
{ config, pkgs, ... }:
{
  imports = [ ./hardware-configuration.nix ];

${
  hardware.uefi
    ? "  boot.loader.systemd-boot.enable = true;"
    : '  # This machine was started by a BIOS: name the disk to whose start GRUB is written.\n  # boot.loader.grub = { enable = true; device = "/dev/sda"; };'
}

  networking.hostName = "firn";
  # time.timeZone = "Europe/Zurich";
  # i18n.defaultLocale = "de_CH.UTF-8";

  # Who may log in. Make a hash with: openssl passwd -6
  # users.users.alice = {
  #   isNormalUser = true;
  #   extraGroups = [ "wheel" ];
  #   hashedPassword = "…";
  #   openssh.authorizedKeys.keys = [ "ssh-ed25519 …" ];
  # };

  # Programs for everybody; 'firn search' finds their names.
  # environment.systemPackages = [ pkgs.git pkgs.curl ];

  # services.openssh.enable = true;
  # networking.firewall.allowedTCPPorts = [ 80 ];

  # The version this machine was installed with; leave it as it is.
  system.stateVersion = ${quoted(stateVersion)};
}
`;
}

/** Returns the text of a flake with the machine's configuration. */
export function firstFlake(input: string): string {
  return `{
  description = "This machine";

  inputs.os.url = ${quoted(input)};

  outputs =
    { self, os }:
    {
      nixosConfigurations.firn = os.lib.firnSystem { modules = [ ./configuration.nix ]; };
    };
}
`;
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&").replaceAll("${", "\\${")}"`;
const list = (texts: readonly string[]): string => `[${texts.map((text) => ` ${quoted(text)}`).join("")} ]`;
