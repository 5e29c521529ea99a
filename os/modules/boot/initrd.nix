# The initial ramdisk: finds the root file system, mounts what the system lies on and starts stage 2.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.boot.initrd;
  needed = builtins.filter (entry: entry.enable && entry.neededForBoot) (builtins.attrValues config.fileSystems);
  depth = entry: builtins.length (builtins.filter (part: part != "") (lib.splitString "/" entry.mountPoint));
  ordered = lib.sort (
    a: b: if depth a == depth b then a.mountPoint < b.mountPoint else depth a < depth b
  ) needed;
  drivers = {
    ext4 = [ "ext4" "crc32c_generic" ];
    vfat = [ "vfat" "nls_ascii" "nls_cp437" "nls_iso8859-1" ];
    btrfs = [ "btrfs" ];
    xfs = [ "xfs" ];
    erofs = [ "erofs" ];
    squashfs = [ "squashfs" ];
    overlay = [ "overlay" ];
    virtiofs = [ "virtiofs" ];
    "9p" = [ "9p" "9pnet_virtio" ];
  };
in
{
  options.boot.initrd = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the system is started through an initial ramdisk.";
    };
    availableKernelModules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "nvme" ];
      description = "Modules that the ramdisk has and loads for the devices it finds. Names the kernel does not have are left out.";
    };
    kernelModules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Modules that the ramdisk loads in any case.";
    };
    includeDefaultModules = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the modules of common disks are available.";
    };
    supportedFilesystems = mkOption {
      type = types.coercedTo (types.listOf types.str) (names: lib.genAttrs names (_: true)) (types.attrsOf types.bool);
      default = { };
      description = "Types of file systems the ramdisk can mount, besides those it must.";
    };
    secrets = mkOption {
      type = types.attrsOf (types.nullOr (types.either types.path types.str));
      default = { };
      example = lib.literalExpression ''{ "/etc/key" = "/root/key"; }'';
      description = "Files that the first stage has besides, by their paths there: paths on the machine, or null for the same path. The boot loader's partition gets a copy when a generation is made the next one, the store never does; who can read that partition can read them.";
    };
    microcode = mkOption {
      type = types.listOf types.package;
      default = [ ];
      internal = true;
      description = "Packages with microcode of processors, which the kernel loads before all else.";
    };
    deviceTimeout = mkOption {
      type = types.ints.positive;
      default = 30;
      description = "Seconds that the ramdisk waits for the root device.";
    };
    programs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      internal = true;
      description = "Files of programs that the ramdisk has besides busybox's, with the libraries they are linked with.";
    };
    programPackages = mkOption {
      type = types.listOf types.str;
      default = [ ];
      internal = true;
      description = "Names of the Debian packages that have the programs; the libraries are in what these need.";
    };
    openCommands = mkOption {
      type = types.lines;
      default = "";
      internal = true;
      description = "Shell text that opens encrypted devices.";
    };
    joinCommands = mkOption {
      type = types.lines;
      default = "";
      internal = true;
      description = "Shell text that makes devices of those that are there: arrays, volumes. It is run again while a device is waited for; with `$late` what lacks a part is taken too.";
    };
    postMountCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Shell text run when everything is mounted below `/mnt-root`.";
    };
    postDeviceCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Shell text run when the devices are there, before anything is mounted.";
    };
  };

  config = lib.mkIf config.boot.kernel.enable {
    boot.initrd.availableKernelModules =
      lib.optionals cfg.includeDefaultModules [
        "virtio_pci"
        "virtio_blk"
        "virtio_scsi"
        "virtio_net"
        "virtio_rng"
        "virtio_console"
        "virtio_balloon"
        "ahci"
        "ata_piix"
        "nvme"
        "sd_mod"
        "sr_mod"
        "xen_blkfront"
        "hv_storvsc"
        "autofs4"
        "efivarfs"
      ]
      ++ lib.concatMap (type: drivers.${type} or [ type ]) (
        lib.unique (
          builtins.attrNames (lib.filterAttrs (_: on: on) cfg.supportedFilesystems)
          ++ map (entry: entry.fsType) (builtins.filter (entry: entry.fsType != "auto") needed)
          ++ lib.optional (config.fileSystems ? ${config.boot.loader.efi.efiSysMountPoint}) "vfat"
        )
      );
    system.build.initialRamdisk = pkgs.mkScript {
      name = "initrd";
      script = ./build-initrd.sh;
      kernel = config.system.build.kernel;
      release = config.boot.kernelPackage.kernelRelease;
      inherit (cfg) availableKernelModules kernelModules;
      microcode = map (package: package.unpacked) cfg.microcode;
      linker = "${pkgs.libc6.unpacked}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
      libraries = "${pkgs.libc6.unpacked}/lib/x86_64-linux-gnu:${pkgs.libzstd1.unpacked}/usr/lib/x86_64-linux-gnu:${pkgs.zlib1g.unpacked}/lib/x86_64-linux-gnu:${pkgs.liblzma5.unpacked}/lib/x86_64-linux-gnu:${pkgs.liblz4-1.unpacked}/usr/lib/x86_64-linux-gnu:${pkgs.libgcc-s1.unpacked}/lib/x86_64-linux-gnu:${pkgs."libstdc++6".unpacked}/usr/lib/x86_64-linux-gnu";
      zstd = "${pkgs.zstd.unpacked}/usr/bin/zstd";
      inherit (cfg) programs;
      programLibraries = lib.optionalString (cfg.programs != [ ]) (
        lib.concatMapStringsSep ":" (
          name: "${pkgs.${name}.unpacked}/lib/x86_64-linux-gnu:${pkgs.${name}.unpacked}/usr/lib/x86_64-linux-gnu"
        ) (pkgs.closureOf cfg.programPackages)
      );
      stage1 = ./stage-1.sh;
      openEncrypted = cfg.openCommands;
      joinDevices = cfg.joinCommands;
      fstab = lib.concatMapStrings (
        entry:
        "${if entry.device == null then entry.fsType else entry.device} ${entry.mountPoint} ${entry.fsType} ${
          lib.concatStringsSep "," entry.options
        }\n"
      ) ordered;
      settings = ''
        timeout=${toString cfg.deviceTimeout}
      '';
      postMount = cfg.postMountCommands;
      postDevice = cfg.postDeviceCommands;
      passAsFile = [
        "fstab"
        "settings"
        "openEncrypted"
        "joinDevices"
        "postMount"
        "postDevice"
      ];
    };
  };
}
