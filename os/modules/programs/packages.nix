# Programs that an option switches on, without more to it; the packages have to be in the lock.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  programs = {
    iotop = "iotop, which shows what reads and writes disks";
    iftop = "iftop, which shows what uses the network";
    mtr = "mtr, which follows the way to a host";
    mosh = "mosh, a remote shell for bad connections";
    screen = "the terminal multiplexer screen";
    traceroute = "traceroute, which follows the way to a host";
    bat = "bat, which shows files in colours";
    zoxide = "zoxide, which goes to directories by parts of their names";
  };
  enabled = builtins.filter (name: config.programs.${name}.enable) (builtins.attrNames programs);
in
{
  options.programs = lib.mapAttrs (_: what: { enable = lib.mkEnableOption what; }) programs;
  config = {
    environment.systemPackages = map (name: pkgs.${name} or (pkgs.unlocked name)) enabled;
    programs = lib.mkIf config.programs.zoxide.enable {
      bash.interactiveShellInit = "eval \"$(zoxide init bash)\"\n";
      zsh.interactiveShellInit = "eval \"$(zoxide init zsh)\"\n";
      fish.interactiveShellInit = "zoxide init fish | source\n";
    };
  };
}
