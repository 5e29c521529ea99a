# The kernel, its modules and its parameters.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.boot;
  package = cfg.kernelPackage;

  # Programs of the set, started without a /usr through the dynamic linker of the set.
  tool = {
    linker = "${pkgs.libc6.unpacked}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    libraries = lib.concatMapStringsSep ":" (
      name: "${pkgs.${name}.unpacked}/lib/x86_64-linux-gnu:${pkgs.${name}.unpacked}/usr/lib/x86_64-linux-gnu"
    ) (pkgs.closureOf [ "kmod" "zstd" ]);
    kmod = "${pkgs.kmod.unpacked}/bin/kmod";
    zstd = "${pkgs.zstd.unpacked}/usr/bin/zstd";
  };
in
{
  options.boot = {
    kernel.enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the system has a kernel; a container's needs none.";
    };
    isContainer = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the system only ever runs in a container.";
    };
    kernelPackages = mkOption {
      type = types.raw;
      default =
        if pkgs.linuxPackages.isLocked && (config.hardware.enableRedistributableFirmware || !pkgs.linuxPackages_cloud.isLocked) then
          pkgs.linuxPackages
        else
          pkgs.linuxPackages_cloud;
      defaultText = "pkgs.linuxPackages on machines with firmware (hardware.enableRedistributableFirmware), else pkgs.linuxPackages_cloud";
      example = lib.literalExpression "pkgs.linuxPackages";
      description = "The kernel: `pkgs.linuxPackages` has all drivers, `pkgs.linuxPackages_cloud` those of virtual machines.";
    };
    kernelPackage = mkOption {
      type = types.package;
      internal = true;
      default = cfg.kernelPackages.kernel;
      defaultText = lib.literalExpression "config.boot.kernelPackages.kernel";
      description = "Debian's kernel package; with an attribute `kernelRelease`, the name of its directory of modules.";
    };
    kernelParams = mkOption {
      type = types.listOf (types.strMatching ''([^"[:space:]]|"[^"]*")+'');
      default = [ ];
      example = [ "console=ttyS0" ];
      description = "Parameters of the kernel's command line.";
    };
    consoleLogLevel = mkOption {
      type = types.int;
      default = 4;
      description = "Messages of the kernel more important than this are shown on the console.";
    };
    kernelModules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "kvm-intel" ];
      description = "Modules loaded at boot, after the initial ramdisk.";
    };
    extraKernelModules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      internal = true;
      description = "Modules that the kernel loads when it needs them, and that the system has in any case.";
    };
    blacklistedKernelModules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Modules that are not loaded by themselves.";
    };
    extraModprobeConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Lines of modprobe.d(5).";
    };
    includedKernelModules = mkOption {
      type = types.nullOr (types.listOf types.str);
      default = null;
      example = [ "virtio_*" "kernel/net/*" ];
      description = ''
        Names or path patterns of the modules that the system has besides those other options name; null has all. Modules are kept
        compressed.
      '';
    };
  };

  config = lib.mkMerge [
    {
      boot.kernel.enable = lib.mkIf cfg.isContainer (lib.mkDefault false);
      boot.kernelParams = [ "loglevel=${toString cfg.consoleLogLevel}" ];
      system.debian.packages = [ "kmod" ];
      environment.etc = {
        "modules-load.d/firn.conf".text = lib.concatMapStrings (name: "${name}\n") cfg.kernelModules;
        "modprobe.d/firn.conf".text =
          lib.concatMapStrings (name: "blacklist ${name}\n") cfg.blacklistedKernelModules + cfg.extraModprobeConfig;
      };
    }
    (lib.mkIf cfg.kernel.enable {
      system.build.kernel = pkgs.mkScript {
        name = "kernel-${package.kernelRelease}";
        script = ./build-kernel.sh;
        kernelPackage = package.unpacked;
        release = package.kernelRelease;
        inherit (tool)
          linker
          libraries
          kmod
          zstd
          ;
        included = if cfg.includedKernelModules == null then [ "*" ] else cfg.includedKernelModules;
        needed = lib.unique (cfg.kernelModules ++ cfg.extraKernelModules ++ cfg.initrd.kernelModules ++ cfg.initrd.availableKernelModules);
      };
    })
  ];
}
