# Programs that an option switches on, without more to it; the packages have to be in the lock.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  programs = {
    tmux = "the terminal multiplexer tmux";
    zsh = "the shell zsh";
    fish = "the shell fish";
    iotop = "iotop, which shows what reads and writes disks";
    iftop = "iftop, which shows what uses the network";
    mtr = "mtr, which follows the way to a host";
    mosh = "mosh, a remote shell for bad connections";
    screen = "the terminal multiplexer screen";
  };
  enabled = builtins.filter (name: config.programs.${name}.enable) (builtins.attrNames programs);
in
{
  options.programs = lib.mapAttrs (_: what: { enable = lib.mkEnableOption what; }) programs // {
    tmux = {
      enable = lib.mkEnableOption programs.tmux;
      extraConfig = lib.mkOption {
        type = lib.types.lines;
        default = "";
        example = "set -g mouse on";
        description = "Text of `/etc/tmux.conf`.";
      };
    };
  };
  config = {
    environment.systemPackages = map (name: pkgs.${name}) enabled;
    environment.shells = map (name: "/usr/bin/${name}") (lib.intersectLists [ "fish" "zsh" ] enabled);
    environment.etc."tmux.conf" = lib.mkIf (config.programs.tmux.enable && config.programs.tmux.extraConfig != "") {
      text = config.programs.tmux.extraConfig;
    };
  };
}
