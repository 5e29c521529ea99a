# Programs that run with rights of their own: copies in /run/wrappers/bin, because nothing in the store may have them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.security;
  wrapper = types.submodule (
    { name, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the wrapper exists.";
        };
        source = mkOption {
          type = types.str;
          description = "The program; a path below `/usr` or in the store.";
        };
        program = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Name of the wrapper.";
        };
        owner = mkOption {
          type = types.str;
          description = "Owner.";
        };
        group = mkOption {
          type = types.str;
          description = "Group.";
        };
        permissions = mkOption {
          type = types.strMatching "[ugorwx0-7,=+-]+";
          default = "u+rx,g+x,o+x";
          description = "Permissions besides setuid and setgid.";
        };
        setuid = mkOption {
          type = types.bool;
          default = false;
          description = "Whether it runs with its owner's rights.";
        };
        setgid = mkOption {
          type = types.bool;
          default = false;
          description = "Whether it runs with its group's rights.";
        };
        capabilities = mkOption {
          type = types.strMatching "^$|[a-z_0-9,+=-]+";
          default = "";
          example = "cap_net_raw+ep";
          description = "Capabilities it has, in the form of cap_from_text(3).";
        };
      };
    }
  );
  enabled = builtins.filter (entry: entry.enable) (builtins.attrValues cfg.wrappers);
  root = source: {
    inherit source;
    owner = "root";
    group = "root";
    setuid = true;
  };
  install = entry: ''
    _wrap ${lib.escapeShellArgs [ entry.program entry.source entry.owner entry.group entry.permissions ]} ${if entry.setuid then "u+s" else "u-s"} ${
      if entry.setgid then "g+s" else "g-s"
    } ${lib.escapeShellArg entry.capabilities}
  '';
in
{
  options.security = {
    wrapperDir = mkOption {
      type = types.path;
      default = "/run/wrappers/bin";
      internal = true;
      description = "Where the wrappers are.";
    };
    enableWrappers = mkOption {
      type = types.bool;
      default = true;
      description = "Whether there are wrappers.";
    };
    wrappers = mkOption {
      type = types.attrsOf wrapper;
      default = { };
      description = "Programs that run with rights of their own.";
    };
  };

  config = lib.mkIf cfg.enableWrappers {
    security.wrappers = {
      chfn = root "/usr/bin/chfn";
      chsh = root "/usr/bin/chsh";
      gpasswd = root "/usr/bin/gpasswd";
      mount = root "/usr/bin/mount";
      newgrp = root "/usr/bin/newgrp";
      passwd = root "/usr/bin/passwd";
      su = root "/usr/bin/su";
      umount = root "/usr/bin/umount";
      unix_chkpwd = {
        source = "/usr/sbin/unix_chkpwd";
        owner = "root";
        group = "shadow";
        setgid = true;
      };
    };
    # The directory is made new and renamed, so that a wrapper that is gone is gone.
    system.activationScripts.wrappers = {
      text = ''
        # /run forbids setuid, so the wrappers have a file system of their own.
        if ! awk '$2 == "/run/wrappers" { found = 1 } END { exit !found }' /proc/mounts; then
          mkdir -p /run/wrappers
          mount -t tmpfs -o mode=755,nodev,size=32m tmpfs /run/wrappers
        fi
        _new=$(mktemp -d /run/wrappers/wrappers.XXXXXXXX)
        chmod 755 "$_new"
        # _wrap NAME SOURCE OWNER GROUP PERMISSIONS SETUID SETGID CAPABILITIES
        _wrap() {
          case $2 in /usr/*) _source=$systemConfig$2 ;; *) _source=$2 ;; esac
          if ! cp -L "$_source" "$_new/$1"; then _failed=1; return; fi
          chmod 0000 "$_new/$1"
          chown "$3:$4" "$_new/$1"
          chmod "$5,$6,$7" "$_new/$1"
          if [ -n "$8" ]; then "$systemConfig/usr/sbin/setcap" "$8" "$_new/$1" || _failed=1; fi
        }
        ${lib.concatMapStrings install enabled}
        _old=$(readlink /run/wrappers/bin 2>/dev/null)
        ln -s "$_new" /run/wrappers/.bin.new
        mv -T -f /run/wrappers/.bin.new /run/wrappers/bin
        case $_old in /run/wrappers/wrappers.*) rm -rf "$_old" ;; esac
      '';
      deps = [ "users" ];
    };
    system.debian.packages = lib.optional (builtins.any (entry: entry.capabilities != "") enabled) "libcap2-bin";
  };
}
