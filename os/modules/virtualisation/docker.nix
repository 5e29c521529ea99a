# docker: containers of other systems, by a daemon.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.virtualisation.docker;
  inherit (forms) json;
  settings = "${builtins.toJSON (lib.filterAttrs (_: value: value != null) cfg.daemon.settings)}\n";
  prune = cfg.autoPrune;
in
{
  options.virtualisation.docker = {
    enable = lib.mkEnableOption "docker, which runs containers of other systems. Members of the group `docker` may use it, which makes them root";
    package = forms.package "docker.io";
    extraPackages = forms.packages "Packages with programs that docker uses.";
    extraOptions = forms.of (types.separatedString " ") "" "Further arguments of the daemon.";
    enableOnBoot = forms.bool true "Whether it starts at boot, and not when it is asked for something first.";
    listenOptions = mkOption {
      type = types.listOf types.str;
      default = [ "/run/docker.sock" ];
      description = "Sockets on which it answers.";
    };
    liveRestore = mkOption {
      type = types.bool;
      default = false;
      description = "Whether containers go on while the daemon is restarted.";
    };
    logDriver = forms.of (types.enum [ "none" "json-file" "syslog" "journald" "gelf" "fluentd" "awslogs" "splunk" "etwlogs" "gcplogs" "local" ]) "journald" "Where output of containers goes.";
    storageDriver = forms.optional (types.enum [ "btrfs" "devicemapper" "fuse-overlayfs" "overlay" "overlay2" "zfs" "vfs" ]) "How images are kept; null lets docker choose.";
    daemon.settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf json;
        options.live-restore = mkOption {
          type = types.bool;
          default = cfg.liveRestore;
          defaultText = lib.literalExpression "config.virtualisation.docker.liveRestore";
          description = "Whether containers go on while the daemon is restarted.";
        };
      };
      default = { };
      example = {
        ipv6 = true;
        fixed-cidr-v6 = "fd00::/80";
      };
      description = "Settings of the daemon: daemon.json.";
    };
    autoPrune = {
      enable = forms.bool false "Whether what no container uses is removed by the clock.";
      flags = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "--all" ];
        description = "Arguments of `docker system prune`.";
      };
      dates = forms.of (types.either (types.listOf types.str) types.str) "weekly" "When, as in systemd.time(7).";
      randomizedDelaySec = forms.str "0" "Time of which a random part is waited.";
      persistent = forms.bool true "Whether a time that has passed while the machine was off is made up for.";
      allVolumes = {
        enable = forms.bool false "Whether volumes that no container uses are removed too.";
        flags = forms.strings "Arguments of `docker volume prune`.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    virtualisation.docker.daemon.settings = {
      group = "docker";
      hosts = [ "fd://" ];
      log-driver = lib.mkDefault cfg.logDriver;
      storage-driver = lib.mkIf (cfg.storageDriver != null) (lib.mkDefault cfg.storageDriver);
    };
    environment.systemPackages = [ cfg.package ] ++ cfg.extraPackages;
    environment.etc."docker/daemon.json".text = settings;
    boot.kernelModules = [ "overlay" "bridge" "veth" "br_netfilter" "xt_nat" ];
    boot.kernel.sysctl = {
      "net.ipv4.conf.all.forwarding" = lib.mkOverride 98 true;
      "net.ipv4.conf.default.forwarding" = lib.mkOverride 98 true;
    };
    users.groups.docker = { };
    systemd.sockets.docker = {
      description = "Socket of docker";
      wantedBy = [ "sockets.target" ];
      listenStreams = cfg.listenOptions;
      socketConfig = {
        SocketMode = "0660";
        SocketUser = "root";
        SocketGroup = "docker";
      };
    };
    systemd.services.containerd.wantedBy = lib.optional cfg.enableOnBoot "multi-user.target";
    systemd.services.docker = {
      description = "docker";
      documentation = [ "https://docs.docker.com/" ];
      wantedBy = lib.optional cfg.enableOnBoot "multi-user.target";
      wants = [ "network-online.target" "containerd.service" ];
      after = [ "network-online.target" "nftables.service" "docker.socket" "containerd.service" ];
      requires = [ "docker.socket" ];
      restartTriggers = [ settings ];
      startLimitBurst = 3;
      startLimitIntervalSec = 60;
      reload = "kill -HUP $MAINPID";
      serviceConfig = {
        Type = "notify";
        ExecStart = "/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock ${cfg.extraOptions}";
        TimeoutStartSec = 0;
        RestartSec = 2;
        Restart = "always";
        LimitNOFILE = "infinity";
        LimitNPROC = "infinity";
        LimitCORE = "infinity";
        TasksMax = "infinity";
        Delegate = true;
        KillMode = "process";
        OOMScoreAdjust = -500;
      };
    };
    systemd.services.docker-prune = lib.mkIf prune.enable {
      description = "Removal of what no container uses";
      startAt = prune.dates;
      requires = [ "docker.service" ];
      after = [ "docker.service" ];
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = [
          "/usr/bin/docker system prune -f ${lib.escapeShellArgs prune.flags}"
        ]
        ++ lib.optional prune.allVolumes.enable "/usr/bin/docker volume prune -f ${lib.escapeShellArgs prune.allVolumes.flags}";
      };
    };
    systemd.timers.docker-prune = lib.mkIf prune.enable {
      timerConfig = {
        RandomizedDelaySec = prune.randomizedDelaySec;
        Persistent = prune.persistent;
      };
    };
    assertions = [
      {
        assertion = prune.allVolumes.enable -> prune.enable;
        message = "virtualisation.docker.autoPrune.allVolumes.enable needs autoPrune.enable";
      }
    ];
  };
}
