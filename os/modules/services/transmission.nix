# Transmission: BitTorrent, with a page in the browser.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.transmission;
  state = "${cfg.home}/.config/transmission-daemon";
  file = pkgs.writeText "settings.json" (builtins.toJSON cfg.settings);
  directories =
    [ cfg.settings.download-dir ]
    ++ lib.optional cfg.settings.incomplete-dir-enabled cfg.settings.incomplete-dir
    ++ lib.optional cfg.settings.watch-dir-enabled cfg.settings.watch-dir;
in
{
  options.services.transmission = {
    enable = lib.mkEnableOption "Transmission, BitTorrent with a page in the browser";
    package = forms.package "transmission-daemon";
    user = forms.str "transmission" "The account as which it runs.";
    group = forms.str "transmission" "The group as which it runs.";
    home = forms.path "/var/lib/transmission" "Directory of its state.";
    downloadDirPermissions = forms.optional types.str "Mode of the directories of what is fetched.";
    credentialsFile = forms.path "/dev/null" "File of JSON with further settings, such as the password.";
    extraFlags = forms.strings "Further arguments.";
    openPeerPorts = forms.bool false "Whether the firewall lets others of the swarm in.";
    openRPCPort = forms.bool false "Whether the firewall lets the page be seen.";
    performanceNetParameters = forms.bool false "Whether the kernel is ready for many connections: more ports, a larger table of connections and shorter waits.";
    webHome = forms.optional types.path "Another page.";
    settings = mkOption {
      default = { };
      description = "Settings of settings.json. It is written anew at each start.";
      type = types.submodule {
        freeformType = types.attrsOf forms.json;
        options = {
          download-dir = forms.path "${cfg.home}/Downloads" "Where what is fetched is put.";
          incomplete-dir = forms.path "${cfg.home}/.incomplete" "Where it is before it is whole.";
          incomplete-dir-enabled = forms.bool true "Whether that is another place.";
          watch-dir = forms.path "${cfg.home}/watchdir" "Where torrents are looked for.";
          watch-dir-enabled = forms.bool false "Whether they are looked for.";
          message-level = forms.of (types.ints.between 0 6) 2 "How much is logged.";
          peer-port = forms.port 51413 "Port for others of the swarm.";
          peer-port-random-high = forms.port 65535 "Highest port that is chosen by chance.";
          peer-port-random-low = forms.port 65535 "Lowest port that is chosen by chance.";
          peer-port-random-on-start = forms.bool false "Whether the port is chosen by chance.";
          rpc-bind-address = forms.str "127.0.0.1" "Address of the page.";
          rpc-port = forms.port 9091 "Port of the page.";
          script-torrent-done-enabled = forms.bool false "Whether a program runs when a torrent is whole.";
          script-torrent-done-filename = forms.optional types.path "That program.";
          trash-original-torrent-files = forms.bool false "Whether files of torrents are removed when they were added.";
          umask = forms.of (types.either types.int types.str) "022" "Mode that new files do not have.";
          utp-enabled = forms.bool true "Whether uTP is spoken.";
        };
      };
    };
  };
  imports = [
    (lib.mkRenamedOptionModule [ "services" "transmission" "port" ] [ "services" "transmission" "settings" "rpc-port" ])
    (lib.mkAliasOptionModule [ "services" "transmission" "openFirewall" ] [ "services" "transmission" "openPeerPorts" ])
  ];
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb "jq" ];
    users.users.${cfg.user} = lib.mkIf (cfg.user == "transmission") {
      inherit (cfg) group home;
      isSystemUser = true;
      description = "Transmission";
    };
    users.groups.${cfg.group} = lib.mkIf (cfg.group == "transmission") { };
    systemd.tmpfiles.rules = [
      "d ${cfg.home} 0750 ${cfg.user} ${cfg.group} - -"
      "d ${cfg.home}/.config 0700 ${cfg.user} ${cfg.group} - -"
      "d ${state} 0700 ${cfg.user} ${cfg.group} - -"
    ]
    ++ map (directory: "d ${directory} ${if cfg.downloadDirPermissions == null then "0755" else cfg.downloadDirPermissions} ${cfg.user} ${cfg.group} - -") directories;
    # The package's own unit runs as another account.
    systemd.services.transmission-daemon.enable = false;
    systemd.services.transmission = {
      description = "Transmission";
      documentation = [ "man:transmission-daemon(1)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      restartTriggers = [ (builtins.toJSON cfg.settings) ];
      environment = lib.optionalAttrs (cfg.webHome != null) { TRANSMISSION_WEB_HOME = cfg.webHome; };
      serviceConfig = forms.hardening // {
        Type = "notify";
        User = cfg.user;
        Group = cfg.group;
        # As root, which may read the file of the password.
        ExecStartPre = [
          "+${pkgs.writeShellScript "transmission-settings" ''
            set -eu
            if [ -s ${cfg.credentialsFile} ]; then
              jq -s add ${file} ${cfg.credentialsFile} >${state}/settings.json.new
            else
              cp ${file} ${state}/settings.json.new
            fi
            chown ${cfg.user}:${cfg.group} ${state}/settings.json.new
            chmod 600 ${state}/settings.json.new
            mv ${state}/settings.json.new ${state}/settings.json
          ''}"
        ];
        ExecStart = "/usr/bin/transmission-daemon -f -g ${state} ${lib.escapeShellArgs cfg.extraFlags}";
        ExecReload = "kill -HUP $MAINPID";
        ReadWritePaths = [ cfg.home ] ++ directories;
        ProtectHome = "tmpfs";
        Restart = "on-failure";
      };
    };
    boot.kernel.sysctl = lib.mapAttrs (_: lib.mkDefault) (
      lib.optionalAttrs cfg.settings.utp-enabled {
        "net.core.rmem_max" = 4194304;
        "net.core.wmem_max" = 1048576;
      }
      // lib.optionalAttrs cfg.performanceNetParameters {
        "net.ipv4.ip_local_port_range" = "16384 65535";
        "net.netfilter.nf_conntrack_generic_timeout" = 60;
        "net.netfilter.nf_conntrack_max" = 1048576;
        "net.netfilter.nf_conntrack_tcp_timeout_established" = 600;
        "net.netfilter.nf_conntrack_tcp_timeout_time_wait" = 1;
      }
    );
    # Its settings are there once it is loaded.
    boot.kernelModules = lib.mkIf cfg.performanceNetParameters [ "nf_conntrack" ];
    networking.firewall = {
      allowedTCPPorts =
        lib.optional (cfg.openPeerPorts && !cfg.settings.peer-port-random-on-start) cfg.settings.peer-port
        ++ lib.optional cfg.openRPCPort cfg.settings.rpc-port;
      allowedUDPPorts = lib.optional (cfg.openPeerPorts && !cfg.settings.peer-port-random-on-start) cfg.settings.peer-port;
    };
    networking.claimedPorts = [
      {
        port = cfg.settings.rpc-port;
        by = "services.transmission";
      }
    ];
  };
}
