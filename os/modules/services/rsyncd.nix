# rsyncd: directories that rsync of other machines reads and writes.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.rsyncd;
  section = types.attrsOf (types.nullOr (types.oneOf [ types.bool types.int types.float types.str ]));
  value = content: if builtins.isBool content then lib.boolToString content else toString content;
  keys = settings: lib.concatStrings (lib.mapAttrsToList (name: content: lib.optionalString (content != null) "${name} = ${value content}\n") settings);
  text =
    keys ({ inherit (cfg) port; } // cfg.settings.globalSection)
    + lib.concatStrings (lib.mapAttrsToList (name: settings: "[${name}]\n${keys settings}") cfg.settings.sections);
  file = pkgs.writeText "rsyncd.conf" text;
in
{
  options.services.rsyncd = {
    enable = lib.mkEnableOption "the server of rsync";
    port = forms.port 873 "Port where it listens.";
    socketActivated = forms.bool false "Whether it is started by the first who asks.";
    settings = lib.mkOption {
      default = { };
      example.sections.pictures = {
        path = "/srv/pictures";
        comment = "pictures to look at";
      };
      description = "Settings; see rsyncd.conf(5).";
      type = types.submodule {
        options = {
          globalSection = forms.of section { } "Settings of the server, and of directories that say nothing else.";
          sections = forms.attrsOf section "Directories by name.";
        };
      };
    };
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "rsync" ];
    # The package's unit of its own reads another file.
    systemd.services.rsyncd = lib.mkIf (!cfg.socketActivated) {
      description = "Server of rsync";
      wantedBy = [ "multi-user.target" ];
      aliases = [ "rsync.service" ];
      after = [ "network.target" ];
      serviceConfig = {
        ExecStart = "/usr/bin/rsync --daemon --no-detach --config=${file}";
        Restart = "on-failure";
        RestartSec = 1;
      };
    };
    systemd.services."rsync@" = lib.mkIf cfg.socketActivated {
      description = "Server of rsync, for one client";
      after = [ "network.target" ];
      serviceConfig = {
        ExecStart = "-/usr/bin/rsync --daemon --config=${file}";
        StandardInput = "socket";
        StandardOutput = "inherit";
        StandardError = "journal";
      };
    };
    systemd.sockets.rsync = lib.mkIf cfg.socketActivated {
      description = "Server of rsync";
      wantedBy = [ "sockets.target" ];
      listenStreams = [ (toString cfg.port) ];
      socketConfig.Accept = true;
    };
    networking.claimedPorts = [
      {
        inherit (cfg) port;
        by = "services.rsyncd";
      }
    ];
  };
}
