# podman: containers of other systems, without a daemon.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.virtualisation.podman;
  settings = types.attrsOf types.anything;
in
{
  options.virtualisation.podman = {
    enable = lib.mkEnableOption "podman, which runs containers of other systems";
    package = forms.package "podman";
    extraPackages = forms.packages "Packages with programs that podman uses.";
    extraRuntimes = forms.packages "Packages with further runtimes.";
    dockerCompat = forms.bool false "Whether `docker` is another name of podman.";
    dockerSocket.enable = forms.bool false "Whether programs that look for docker's socket find podman. Members of the group `podman` may use it, which makes them root.";
    defaultNetwork.settings = forms.of settings { } "Settings of the default network.";
    autoPrune = {
      enable = forms.bool false "Whether what no container uses is removed by the clock.";
      flags = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "--all" ];
        description = "Arguments of `podman system prune`.";
      };
      dates = forms.str "weekly" "When, as in systemd.time(7).";
    };
  };

  config = lib.mkIf cfg.enable {
    virtualisation.containers.enable = true;
    virtualisation.containers.containersConf.settings.network.network_backend = lib.mkDefault "netavark";
    environment.systemPackages =
      [ cfg.package ]
      ++ cfg.extraPackages
      ++ cfg.extraRuntimes
      ++ lib.optional cfg.dockerCompat (pkgs.writeShellScriptBin "docker" "exec /usr/bin/podman \"$@\"");
    environment.etc."containers/networks/podman.json" = lib.mkIf (cfg.defaultNetwork.settings != { }) {
      text = builtins.toJSON (
        {
          name = "podman";
          id = "0000000000000000000000000000000000000000000000000000000000000000";
          driver = "bridge";
          network_interface = "podman0";
          internal = false;
          ipv6_enabled = false;
          dns_enabled = false;
          ipam_options.driver = "host-local";
          subnets = [
            {
              subnet = "10.88.0.0/16";
              gateway = "10.88.0.1";
            }
          ];
        }
        // cfg.defaultNetwork.settings
      );
    };
    boot.kernelModules = [ "overlay" "veth" "bridge" ];
    boot.kernel.sysctl."net.ipv4.ip_forward" = lib.mkOverride 98 1;
    users.groups.podman = { };
    systemd.sockets.podman = {
      description = "Socket of podman";
      wantedBy = [ "sockets.target" ];
      listenStreams = [ "/run/podman/podman.sock" ];
      socketConfig = {
        SocketMode = "0660";
        SocketGroup = "podman";
      };
    };
    systemd.tmpfiles.rules = lib.optional cfg.dockerSocket.enable "L! /run/docker.sock - - - - /run/podman/podman.sock";
    systemd.services.podman-prune = lib.mkIf cfg.autoPrune.enable {
      description = "Removal of what no container uses";
      startAt = cfg.autoPrune.dates;
      restartIfChanged = false;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "/usr/bin/podman system prune -f ${lib.escapeShellArgs cfg.autoPrune.flags}";
      };
    };
    assertions = [
      {
        assertion = cfg.dockerCompat || cfg.dockerSocket.enable -> !config.virtualisation.docker.enable;
        message = "virtualisation.podman.dockerCompat and dockerSocket take the place of docker, which is enabled too";
      }
    ];
  };
}
