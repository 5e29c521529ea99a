# greetd: asks who logs in and starts their session.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.greetd;
  section =
    name: content:
    "[${name}]\n" + lib.concatStrings (lib.mapAttrsToList (key: item: "${key} = ${builtins.toJSON item}\n") content);
  # None when it is "none", "next" or "current".
  terminal = lib.optional (builtins.isInt cfg.settings.terminal.vt) "tty${toString cfg.settings.terminal.vt}";
  text = lib.concatStringsSep "\n" (lib.mapAttrsToList section cfg.settings);
in
{
  options.services.greetd = {
    enable = lib.mkEnableOption "greetd";
    package = forms.package "greetd";
    settings = mkOption {
      type = types.attrsOf (types.attrsOf (types.oneOf [ types.bool types.int types.str ]));
      default = { };
      example = lib.literalExpression ''
        {
          default_session.command = "agreety --cmd sway-session";
        }
      '';
      description = "Settings as greetd(5) has them, by section.";
    };
    restart = mkOption {
      type = types.bool;
      default = !(cfg.settings ? initial_session);
      defaultText = lib.literalExpression "!(config.services.greetd.settings ? initial_session)";
      description = "Whether it starts again when it ends, which begins the first session anew where that is declared.";
    };
  };

  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    services.greetd.settings = {
      terminal.vt = lib.mkDefault 1;
      default_session.user = lib.mkDefault "greeter";
      default_session.command = lib.mkDefault "/usr/sbin/agreety --cmd ${
        if config.programs.sway.enable then "sway-session" else "/usr/bin/bash"
      }";
    };
    environment.etc."greetd/config.toml".text = text;
    users.users.greeter = {
      isSystemUser = true;
      group = "greeter";
      home = "/var/lib/greeter";
      createHome = true;
    };
    users.groups.greeter = { };
    systemd.defaultUnit = lib.mkDefault "graphical.target";
    # The terminal is greetd's.
    systemd.services = {
      greetd = {
        description = "Log in";
        documentation = [ "man:greetd(1)" ];
        aliases = [ "display-manager.service" ];
        wantedBy = [ "graphical.target" ];
        wants = [ "systemd-user-sessions.service" ];
        after = [ "systemd-user-sessions.service" ] ++ map (name: "getty@${name}.service") terminal;
        conflicts = map (name: "getty@${name}.service") terminal;
        restartIfChanged = false;
        serviceConfig = {
          Type = "idle";
          ExecStart = "/usr/sbin/greetd --config /etc/greetd/config.toml";
          Restart = if cfg.restart then "always" else "on-success";
          SendSIGHUP = true;
          TimeoutStopSec = "30s";
          KeyringMode = "shared";
          IgnoreSIGPIPE = false;
        };
      };
    }
    // lib.listToAttrs (map (name: lib.nameValuePair "autovt@${name}" { enable = false; }) terminal);
  };
}
