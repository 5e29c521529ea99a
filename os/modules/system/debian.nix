# What a system takes of Debian: the packages merged to its /usr, and the defaults in /etc that come with them.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.system.debian;
  isDeb = package: package ? deb;
  # What a package is of no use without, and does not depend on: compilers need what programs are linked with.
  companions = lib.genAttrs [ "clang" "gcc" "tcc" ] (_: [ "libc6-dev" ]);
  shown = config.documentation;
  documentation =
    lib.optionals (!shown.enable || !shown.doc.enable) [ "usr/share/doc" "usr/share/doc-base" "usr/share/gtk-doc" ]
    ++ lib.optional (!shown.enable || !shown.info.enable) "usr/share/info"
    ++ lib.optional (!shown.enable || !shown.man.enable) "usr/share/man";
  part =
    what:
    mkOption {
      type = types.bool;
      default = true;
      description = "Whether ${what} are among the documentation.";
    };
in
{
  options = {
    system.debian = {
      packages = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "nginx-light" ];
        description = ''
          Names of the Debian packages whose files, with those of all they depend on, are the system's `/usr`. Modules and
          {option}`environment.systemPackages` add to it.
        '';
      };
      exclude = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "usr/share/fonts" ];
        description = "Paths (shell patterns, relative to the root) that are left out of the merged packages.";
      };
      excludeEtc = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "cron.*" ];
        description = "Names directly below `/etc` (shell patterns) of package defaults that the system does not get.";
      };
      etcFallbacks = mkOption {
        type = types.listOf types.package;
        default = [ ];
        internal = true;
        description = "Trees of files of `/etc` that the system has where neither a declared entry nor a package has one.";
      };
      env = mkOption {
        type = types.package;
        internal = true;
        readOnly = true;
        description = "The merged packages.";
      };
    };
    documentation.man.enable = part "manual pages";
    documentation.info.enable = part "info files";
    documentation.doc.enable = part "texts of packages";
    documentation.enable = mkOption {
      type = types.bool;
      default = builtins.any (name: options.documentation.${name}.enable.highestPrio < 1500 && shown.${name}.enable) [
        "man"
        "info"
        "doc"
      ];
      defaultText = "whether one of its parts is asked for";
      description = "Whether manual pages, info files and package documentation are part of the system.";
    };
  };

  config.system.debian = {
    packages = lib.concatMap (package: [ package.deb ] ++ companions.${package.deb} or [ ]) (
      builtins.filter isDeb config.environment.systemPackages
    );
    exclude = [
      "boot"
      "usr/share/lintian"
      "usr/share/bug"
      "usr/share/initramfs-tools"
      "usr/share/zoneinfo/posix"
      "usr/share/zoneinfo/right"
      "usr/share/locale/[a-zA-Z]*"
      "usr/share/perl5/Debian"
      "usr/lib/systemd/system-generators/systemd-sysv-generator"
      "usr/lib/systemd/system-generators/systemd-gpt-auto-generator"
      "usr/share/X11/locale"
      "usr/share/gcc"
      "usr/share/gdb"
      "var"
      "run"
    ]
    ++ lib.optional (!config.security.polkit.enable) "usr/share/polkit-1"
    ++ documentation;
    excludeEtc = [
      "adduser.conf"
      "debconf.conf"
      "deluser.conf"
      "dhcp"
      "e2scrub.conf"
      "initramfs"
      "mailcap*"
      "sv"
      "ucf.conf"
      "apt"
      "cron*"
      "default"
      "dpkg"
      "group*"
      "gshadow*"
      "host*"
      "init.d"
      "init"
      "initramfs-tools"
      "insserv*"
      "kernel"
      "logrotate.d"
      "machine-id"
      "mtab"
      "network"
      "passwd*"
      "rc?.d"
      "resolv.conf"
      "shadow*"
      "subgid*"
      "subuid*"
      "ufw"
      "update-motd.d"
    ];
    env = pkgs.systemEnv {
      name = "system-env";
      packages = lib.unique (lib.sort (a: b: a < b) cfg.packages);
      inherit (cfg) exclude;
    };
  };
}
