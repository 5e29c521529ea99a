# GRUB, the boot loader of machines with BIOS. `firn os` writes it to the disks and makes its menu; here is its image.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.boot.loader.grub;
  packages = pkgs.closureOf [ "grub-common" ];
  # Where the directory of the menu and the kernels is on its file system.
  directory = config.boot.loader.efi.efiSysMountPoint;
  place = if config.fileSystems ? ${directory} then "" else directory;
  image = pkgs.mkScript {
    name = "grub";
    script = ./build-grub.sh;
    early = ./grub-early.cfg;
    inherit place;
    linker = "${pkgs.libc6.unpacked}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    libraries = lib.concatMapStringsSep ":" (
      name: "${pkgs.${name}.unpacked}/lib/x86_64-linux-gnu:${pkgs.${name}.unpacked}/usr/lib/x86_64-linux-gnu"
    ) packages;
    mkimage = "${pkgs.grub-common.unpacked}/usr/bin/grub-mkimage";
    modules = "${pkgs.grub-pc-bin.unpacked}/usr/lib/grub/i386-pc";
  };
in
{
  options.boot.loader.grub = {
    enable = lib.mkEnableOption "GRUB, which starts machines with BIOS. Its menu has the generations; failed starts are not counted";
    device = mkOption {
      type = types.str;
      default = "";
      example = "/dev/disk/by-id/wwn-0x500001234567890a";
      description = "Disk that GRUB is written to; `nodev` for none.";
    };
    devices = forms.strings "Disks that GRUB is written to.";
    configurationLimit = forms.of types.ints.positive 100 "How many generations the boot menu has; the oldest are dropped.";
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      example = "serial --unit=0 --speed=115200\nterminal_input serial console\nterminal_output serial console";
      description = "Commands of GRUB before the entries of the menu. The commands are those of Debian's GRUB that need no further files.";
    };
    extraEntries = mkOption {
      type = types.lines;
      default = "";
      example = "menuentry \"Off\" { halt }";
      description = "Further entries of the menu.";
    };
    efiSupport = forms.bool false "Whether GRUB is started by UEFI firmware. It is not here: see {option}`boot.loader.systemd-boot.enable`.";
    efiInstallAsRemovable = forms.bool false "Whether GRUB lies where all firmware looks.";
    useOSProber = forms.bool false "Whether GRUB's menu has other systems of the machine. It has not; name them in {option}`boot.loader.grub.extraEntries`.";
    place = mkOption {
      type = types.str;
      internal = true;
      readOnly = true;
      default = place;
      description = "Where the directory of kernels is on its file system.";
    };
    splashImage = forms.optional types.path "Picture behind the menu. None is shown.";
  };
  config = lib.mkIf cfg.enable {
    boot.loader.grub.devices = lib.mkIf (cfg.device != "" && cfg.device != "nodev") [ cfg.device ];
    system.files.grub.target = "${image}";
    assertions = [
      {
        assertion = !cfg.efiSupport;
        message = "boot.loader.grub.efiSupport: machines with UEFI are started by systemd-boot; set boot.loader.systemd-boot.enable in place of GRUB";
      }
      {
        assertion = !config.boot.loader.systemd-boot.enable;
        message = "boot.loader.grub.enable and boot.loader.systemd-boot.enable: one of both starts the machine";
      }
      {
        assertion = cfg.devices != [ ] || cfg.device == "nodev";
        message = "boot.loader.grub.device: GRUB has to be written to a disk, such as \"/dev/sda\"; \"nodev\" writes it to none";
      }
    ];
    warnings =
      lib.optional cfg.useOSProber "this setting has no effect: boot.loader.grub.useOSProber: other systems are not looked for"
      ++ lib.optional (cfg.splashImage != null) "this setting has no effect: boot.loader.grub.splashImage: no picture is shown";
  };
}
