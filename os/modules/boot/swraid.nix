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
    enable = lib.mkEnableOption "arrays of disks by mdadm. What the system lies on cannot be on one: the first stage does not join them";
    mdadmConf = forms.lines "Text of mdadm.conf(5); it has to say who is told of failures (`MAILADDR` or `PROGRAM`).";
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "mdadm" ];
    environment.etc."mdadm/mdadm.conf".text = cfg.mdadmConf;
    boot.kernelModules = [ "md_mod" ];
    boot.extraKernelModules = [ "raid0" "raid1" "raid10" "raid456" ];
    warnings = lib.optional (
      builtins.match "(.*\n)?(MAILADDR|PROGRAM).*" cfg.mdadmConf == null
    ) "boot.swraid.mdadmConf: neither MAILADDR nor PROGRAM is set, so nobody is told when a disk fails";
  };
}
