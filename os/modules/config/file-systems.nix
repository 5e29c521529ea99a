# File systems and swap.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  systems = config.fileSystems;
  # Types that no fsck is for: what lies elsewhere or in memory, is never written, or checks itself when mounted.
  uncheckedTypes = [
    "9p"
    "auto"
    "bcachefs"
    "bind"
    "btrfs"
    "cifs"
    "glusterfs"
    "iso9660"
    "nfs"
    "nfs4"
    "nilfs2"
    "none"
    "overlay"
    "squashfs"
    "tmpfs"
    "udf"
    "vboxsf"
    "virtiofs"
    "zfs"
  ];

  fileSystem = types.submodule (
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether it is mounted.";
        };
        mountPoint = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Where it is mounted.";
        };
        device = mkOption {
          type = types.nullOr types.str;
          default = null;
          example = "/dev/disk/by-label/root";
          description = "The device, or what the file system's type takes for one.";
        };
        label = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Label by which the device is found.";
        };
        fsType = mkOption {
          type = types.str;
          default = "auto";
          example = "ext4";
          description = "Type of the file system.";
        };
        options = mkOption {
          type = types.listOf types.str;
          default = [ "defaults" ];
          example = [ "noatime" ];
          description = "Mount options.";
        };
        depends = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Mount points that must be mounted before.";
        };
        neededForBoot = mkOption {
          type = types.bool;
          default = builtins.elem config.mountPoint [ "/" "/nix" "/nix/store" "/nix/var" "/var" "/etc" "/usr" ];
          defaultText = "whether the system lies on it";
          description = "Whether the initial ramdisk mounts it.";
        };
        autoResize = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the file system grows to the size of its device when it is mounted.";
        };
        autoFormat = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the file system is made when the device has none.";
        };
        noCheck = mkOption {
          type = types.bool;
          default = false;
          description = "Whether it is not checked before it is mounted.";
        };
      };
      config.device = lib.mkIf (config.label != null) (lib.mkDefault "/dev/disk/by-label/${config.label}");
    }
  );
  swap = types.submodule {
    options = {
      device = mkOption {
        type = types.str;
        example = "/dev/disk/by-label/swap";
        description = "The device or file.";
      };
      size = mkOption {
        type = types.nullOr types.ints.positive;
        default = null;
        description = "Size of a swap file in MiB; it is made when it does not exist.";
      };
      priority = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Priority of this swap space.";
      };
      options = mkOption {
        type = types.listOf types.str;
        default = [ "defaults" ];
        description = "Options of swapon.";
      };
    };
  };

  # Packages with the programs that mount, check and make file systems.
  programs = {
    btrfs = "btrfs-progs";
    cifs = "cifs-utils";
    exfat = "exfatprogs";
    f2fs = "f2fs-tools";
    nfs = "nfs-common";
    nfs4 = "nfs-common";
    ntfs = "ntfs-3g";
    ntfs-3g = "ntfs-3g";
    vfat = "dosfstools";
    xfs = "xfsprogs";
  };
  supported = builtins.attrNames (lib.filterAttrs (_: on: on) config.boot.supportedFilesystems);

  mounted = builtins.filter (entry: entry.enable) (builtins.attrValues systems);
  escape = builtins.replaceStrings [ " " "\t" ] [ "\\040" "\\011" ];
  line =
    entry:
    lib.concatStringsSep " " [
      (escape (if entry.device == null then entry.fsType else entry.device))
      (escape entry.mountPoint)
      entry.fsType
      (escape (lib.concatStringsSep "," (entry.options ++ lib.optional entry.autoResize "x-systemd.growfs" ++ lib.optional entry.autoFormat "x-systemd.makefs" ++ map (path: "x-systemd.requires-mounts-for=${path}") entry.depends)))
      "0"
      (if entry.noCheck || entry.device == null || builtins.elem entry.fsType uncheckedTypes then "0" else if entry.mountPoint == "/" then "1" else "2")
    ];
  files = builtins.filter (entry: entry.size != null) config.swapDevices;
in
{
  options = {
    fileSystems = mkOption {
      type = types.attrsOf fileSystem;
      default = { };
      example = lib.literalExpression ''{ "/" = { device = "/dev/disk/by-label/root"; fsType = "ext4"; }; }'';
      description = "The file systems to mount, by mount point.";
    };
    swapDevices = mkOption {
      type = types.listOf swap;
      default = [ ];
      description = "Swap devices and files.";
    };
    boot.supportedFilesystems = mkOption {
      type = types.coercedTo (types.listOf types.str) (names: lib.genAttrs names (_: true)) (types.attrsOf types.bool);
      default = { };
      example = [ "vfat" ];
      description = "Types of file systems whose kernel modules and programs the system has.";
    };
  };

  config = {
    assertions = map (entry: {
      assertion = entry.device != null || builtins.elem entry.fsType [ "tmpfs" "proc" "sysfs" "devpts" "overlay" ];
      message = "fileSystems.\"${entry.mountPoint}\": no device is given";
    }) mounted
    ++ map (type: {
      assertion = !builtins.elem type supported;
      message = "boot.supportedFilesystems: Debian's kernel has no ${type}";
    }) [ "bcachefs" "zfs" ];
    boot.supportedFilesystems = lib.genAttrs (lib.unique (map (entry: entry.fsType) mounted)) (_: true);
    environment.etc.fstab.text = ''
      # Made by the system's configuration; changes are lost.
      ${lib.concatMapStringsSep "\n" line (builtins.filter (entry: entry.mountPoint != "/nix/store") mounted)}
      ${lib.concatMapStringsSep "\n" (
        entry:
        "${entry.realDevice} none swap ${
          lib.concatStringsSep "," (entry.options ++ lib.optional (entry.priority != null) "pri=${toString entry.priority}")
        } 0 0"
      ) config.swapDevices}
    '';
    systemd.services = lib.listToAttrs (
      map (
        entry:
        let
          unit = "mkswap-${builtins.replaceStrings [ "/" ] [ "-" ] (lib.removePrefix "/" entry.device)}";
        in
        lib.nameValuePair unit {
          description = "Make the swap file ${entry.device}";
          before = [ "swap.target" ];
          wantedBy = [ "swap.target" ];
          unitConfig.DefaultDependencies = false;
          unitConfig.ConditionPathExists = "!${entry.device}";
          unitConfig.RequiresMountsFor = builtins.dirOf entry.device;
          serviceConfig.Type = "oneshot";
          script = ''
            umask 077
            fallocate -l ${toString entry.size}M ${entry.device}.new
            mkswap ${entry.device}.new
            mv ${entry.device}.new ${entry.device}
          '';
        }
      ) files
    );
    system.debian.packages = [
      "e2fsprogs"
      "mount"
      "util-linux"
    ]
    ++ lib.unique (map (type: programs.${type}) (builtins.filter (type: programs ? ${type}) supported));
  };
}
