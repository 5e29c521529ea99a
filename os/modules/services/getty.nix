# Logins on consoles.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.getty;
  arguments =
    lib.optionals (cfg.autologinUser != null) [
      "--autologin"
      cfg.autologinUser
    ]
    ++ cfg.extraArgs;
  # Given again only when it differs from what systemd's own unit starts.
  start =
    line:
    lib.mkIf (arguments != [ ]) {
      serviceConfig.ExecStart = [
        ""
        "-/sbin/agetty ${lib.escapeShellArgs arguments} ${line}"
      ];
    };
in
{
  options.services.getty = {
    autologinUser = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "A user who is logged in on the consoles without being asked. Whoever is at the machine, is that user.";
    };
    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "--noclear" ];
      description = "Arguments of agetty.";
    };
    greetingLine = mkOption {
      type = types.str;
      default = "";
      description = "A line shown above the login prompt.";
    };
    helpLine = mkOption {
      type = types.lines;
      default = "";
      description = "Text shown below the greeting.";
    };
  };
  config = {
    systemd.services."getty@" = start "--noclear - $TERM";
    systemd.services."serial-getty@" = start "--keep-baud 115200,57600,38400,9600 - $TERM";
    systemd.services.console-getty = start "--noclear --keep-baud - 115200,38400,9600 $TERM";
    environment.etc.issue = lib.mkIf (cfg.greetingLine != "" || cfg.helpLine != "") {
      text = "\n${cfg.greetingLine}\n${cfg.helpLine}\n";
    };
  };
}
