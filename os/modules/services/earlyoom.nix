# earlyoom: ends programs before memory is used up.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.earlyoom;
  pair = first: second: "${toString first}${lib.optionalString (second != null) ",${toString second}"}";
  arguments =
    [
      "-m ${pair cfg.freeMemThreshold cfg.freeMemKillThreshold}"
      "-s ${pair cfg.freeSwapThreshold cfg.freeSwapKillThreshold}"
      "-r ${toString cfg.reportInterval}"
    ]
    ++ lib.optional cfg.enableDebugInfo "-d"
    ++ lib.optional cfg.enableNotifications "-n"
    ++ lib.optional (cfg.killHook != null) "-N ${cfg.killHook}"
    ++ cfg.extraArgs;
in
{
  options.services.earlyoom = {
    enable = lib.mkEnableOption "earlyoom, which ends programs before memory is used up";
    package = forms.package "earlyoom";
    freeMemThreshold = forms.of (types.ints.between 1 100) 10 "Per cent of free memory below which programs are asked to end.";
    freeMemKillThreshold = forms.optional (types.ints.between 1 100) "Per cent of free memory below which they are killed.";
    freeSwapThreshold = forms.of (types.ints.between 1 100) 10 "Per cent of free swap below which programs are asked to end.";
    freeSwapKillThreshold = forms.optional (types.ints.between 1 100) "Per cent of free swap below which they are killed.";
    enableDebugInfo = forms.bool false "Whether it tells more.";
    enableNotifications = forms.bool false "Whether users are told on their screens.";
    killHook = forms.optional types.path "Program that is run when one was ended.";
    reportInterval = forms.int 3600 "Seconds between two lines of the log; 0 is never.";
    extraArgs = forms.strings "Further arguments.";
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    environment.etc."default/earlyoom".text = "EARLYOOM_ARGS=\"${lib.concatStringsSep " " arguments}\"\n";
    systemd.services.earlyoom = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = arguments;
    };
  };
}
