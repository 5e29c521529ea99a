# Disks joined to arrays by mdadm, in software.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.boot.swraid;
in
{
  options.boot.swraid = {
    enable = lib.mkEnableOption "arrays of disks by mdadm, which the first stage joins: the system can lie on one";
    mdadmConf = forms.lines "Text of mdadm.conf(5); it has to say who is told of failures (`MAILADDR` or `PROGRAM`).";
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "mdadm" ];
    environment.etc."mdadm/mdadm.conf".text = cfg.mdadmConf;
    boot.kernelModules = [ "md_mod" ];
    boot.extraKernelModules = [ "raid0" "raid1" "raid10" "raid456" ];
    boot.initrd = lib.mkIf config.boot.kernel.enable {
      kernelModules = [ "md_mod" "raid0" "raid1" "raid10" "raid456" ];
      programs = [ "${pkgs.mdadm.unpacked}/sbin/mdadm" ];
      programPackages = [ "mdadm" ];
      # Before volumes, which can lie on arrays. Each device is taken once; an array that lacks one starts late.
      joinCommands = lib.mkBefore ''
        export MDADM_NO_UDEV=1
        mkdir -p /etc/mdadm /run/mdadm /dev/md
        cat >/etc/mdadm/mdadm.conf <<'END'
        HOMEHOST <ignore>
        ${cfg.mdadmConf}
        END
        for part in /sys/class/block/*; do
          part=''${part##*/}
          case "$part ''${joined-} " in
            md* | dm-* | loop* | ram*) continue ;;
            "$part "*" $part "*) continue ;;
          esac
          if mdadm --incremental --quiet "/dev/$part" 2>/dev/null; then joined="''${joined-} $part"; fi
        done
        if [ -n "$late" ]; then mdadm --incremental --run --scan --quiet 2>/dev/null || true; fi
      '';
    };
    warnings = lib.optional (
      builtins.match "(.*\n)?(MAILADDR|PROGRAM).*" cfg.mdadmConf == null
    ) "boot.swraid.mdadmConf: neither MAILADDR nor PROGRAM is set, so nobody is told when a disk fails";
  };
}
