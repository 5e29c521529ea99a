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
    direnv = "direnv, which sets variables by directory";
  };
  enabled = builtins.filter (name: config.programs.${name}.enable) (builtins.attrNames programs);
in
{
  options.programs = lib.mapAttrs (_: what: { enable = lib.mkEnableOption what; }) programs;
  config = {
    environment.systemPackages = map (name: pkgs.${name}) enabled;
    # What these two do is done in the shells.
    programs = lib.mkMerge (
      map (
        name:
        lib.mkIf config.programs.${name}.enable (
          let
            hook = shell: if name == "direnv" then "direnv hook ${shell}" else "zoxide init ${shell}";
          in
          {
            bash.interactiveShellInit = "eval \"$(${hook "bash"})\"\n";
            zsh.interactiveShellInit = "eval \"$(${hook "zsh"})\"\n";
            fish.interactiveShellInit = "${hook "fish"} | source\n";
          }
        )
      ) [ "direnv" "zoxide" ]
    );
  };
}
