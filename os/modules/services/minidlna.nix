# MiniDLNA: serves music, pictures and films to players on the network, with a status page.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.minidlna;
  atom = types.oneOf [ types.bool types.int types.float types.str ];
  value =
    content:
    if content == true then
      "yes"
    else if content == false then
      "no"
    else
      toString content;
  text = lib.concatStrings (
    lib.mapAttrsToList (
      name: content: lib.concatMapStrings (single: "${name}=${value single}\n") (if builtins.isList content then content else [ content ])
    ) (lib.filterAttrs (_: content: content != null) cfg.settings)
  );
in
{
  options.services.minidlna = {
    enable = lib.mkEnableOption "MiniDLNA, a media server for DLNA players";
    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the firewall lets players in: the server's port, and UDP port 1900 for discovery.";
    };
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf (types.nullOr (types.either atom (types.listOf atom)));
        options = {
          media_dir = mkOption {
            type = types.listOf types.str;
            default = [ ];
            example = [ "/srv/media" "V,/srv/films" ];
            description = "Directories that are served; A, P and V before a comma restrict one to audio, pictures, video.";
          };
          port = mkOption {
            type = types.port;
            default = 8200;
            description = "Port of the server and its status page.";
          };
          friendly_name = mkOption {
            type = types.str;
            default = config.networking.hostName;
            defaultText = lib.literalExpression "config.networking.hostName";
            description = "The name players show.";
          };
          db_dir = mkOption {
            type = types.path;
            default = "/var/cache/minidlna";
            description = "Where the index is kept.";
          };
          inotify = mkOption {
            type = types.enum [ "yes" "no" ];
            default = "yes";
            description = "Whether new files are noticed at once.";
          };
          root_container = mkOption {
            type = types.enum [ "B" "M" "V" "P" "." ];
            default = "B";
            description = "What players see first.";
          };
        };
      };
      default = { };
      description = "Settings of minidlna.conf(5).";
    };
  };

  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "minidlna" ];
    environment.etc."minidlna.conf".text = text;
    users.users.minidlna = {
      description = "MiniDLNA";
      group = "minidlna";
      isSystemUser = true;
    };
    users.groups.minidlna = { };
    networking.claimedPorts = [
      {
        inherit (cfg.settings) port;
        by = "services.minidlna.settings.port";
      }
    ];
    networking.firewall = lib.mkIf cfg.openFirewall {
      allowedTCPPorts = [ cfg.settings.port ];
      allowedUDPPorts = [ 1900 ];
    };
    systemd.services.minidlna = {
      description = "MiniDLNA media server";
      documentation = [ "man:minidlnad(1)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      restartTriggers = [ text ];
      serviceConfig = {
        User = "minidlna";
        Group = "minidlna";
        CacheDirectory = "minidlna";
        LogsDirectory = "minidlna";
        RuntimeDirectory = "minidlna";
        PIDFile = "/run/minidlna/pid";
        ExecStart = "/usr/sbin/minidlnad -S -P /run/minidlna/pid -f /etc/minidlna.conf";
        Restart = "on-failure";
        RestartSec = 2;
        NoNewPrivileges = true;
        ProtectSystem = "strict";
        PrivateTmp = true;
      };
    };
  };
}
