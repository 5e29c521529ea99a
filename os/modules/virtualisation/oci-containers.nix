# Containers of other systems as services.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.virtualisation.oci-containers;
  podman = cfg.backend == "podman";
  program = "/usr/bin/${cfg.backend}";

  container = types.submodule (
    { name, ... }:
    {
      options = {
        image = mkOption {
          type = types.str;
          example = "library/hello-world";
          description = "The image.";
        };
        imageFile = forms.optional types.path "File of the image, which is loaded before; it must have the image's name.";
        imageStream = forms.optional types.package "Program that prints the image, which is loaded before.";
        serviceName = mkOption {
          type = types.str;
          default = "${cfg.backend}-${name}";
          defaultText = "the backend's name, a dash and the container's name";
          description = "Name of the service.";
        };
        login = {
          username = forms.optional types.str "Name of the user at the registry.";
          passwordFile = forms.optional types.str "File with the password.";
          registry = forms.optional types.str "The registry.";
        };
        cmd = forms.strings "Arguments of the container's program.";
        labels = forms.of (types.attrsOf types.str) { } "Labels.";
        entrypoint = forms.optional types.str "The program, in place of the image's.";
        environment = forms.of (types.attrsOf types.str) { } "Variables.";
        environmentFiles = forms.listOf types.path "Files with variables.";
        log-driver = forms.str "journald" "Where output goes.";
        ports = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "127.0.0.1:8080:9000" ];
          description = "Ports of the machine that lead to those of the container. The firewall does not hold them off.";
        };
        user = forms.optional types.str "User, and group, inside.";
        volumes = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "/srv/data:/data" ];
          description = "Volumes and directories, and where they are inside.";
        };
        workdir = forms.optional types.str "Working directory inside.";
        dependsOn = forms.strings "Containers that are started before.";
        hostname = forms.optional types.str "Host name inside.";
        preRunExtraOptions = forms.strings "Arguments that stand before `run`.";
        extraOptions = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "--network=host" ];
          description = "Further arguments of `run`.";
        };
        autoStart = forms.bool true "Whether it starts at boot.";
        podman = mkOption {
          type = types.nullOr (
            types.submodule {
              options = {
                sdnotify = forms.of (types.enum [ "conmon" "healthy" "container" ]) "conmon" "What says that the container is ready.";
                user = forms.str "root" "The account as which it runs. It needs ids below it and has to linger.";
              };
            }
          );
          default = if podman then { } else null;
          defaultText = "the defaults with podman, else null";
          description = "What only podman knows.";
        };
        pull = forms.of (types.enum [ "always" "missing" "never" "newer" ]) "missing" "When the image is fetched.";
        capabilities = forms.of (types.lazyAttrsOf (types.nullOr types.bool)) { } "Capabilities that it has besides, or has not.";
        devices = forms.strings "Devices.";
        privileged = forms.bool false "Whether it may do everything.";
        autoRemoveOnStop = forms.bool true "Whether it is removed when it ends.";
        networks = forms.strings "Networks that it is in.";
      };
    }
  );

  argument = lib.escapeShellArg;
  service =
    name: entry:
    let
      others = map (other: "${cfg.containers.${other}.serviceName}.service") entry.dependsOn;
      user = if podman then entry.podman.user else "root";
      online = lib.optional (entry.imageFile == null && entry.imageStream == null) "network-online.target";
      inherit (entry) login;
      loggedIn = login.username != null && login.passwordFile != null && login.registry != null;
      identity = "/run/${name}/ctr-id";
      given = flag: value: lib.optional (value != null) "${flag}=${argument value}";
      each = flag: map (value: "${flag} ${argument value}");
      pairs = flag: lib.mapAttrsToList (key: value: "${flag} ${argument "${key}=${value}"}");
      words =
        map argument entry.preRunExtraOptions
        ++ [ "run" "--name=${argument name}" "--log-driver=${argument entry.log-driver}" ]
        ++ given "--entrypoint" entry.entrypoint
        ++ given "--hostname" entry.hostname
        ++ lib.optionals podman [ "--cidfile=${identity}" "--cgroups=enabled" "--sdnotify=${entry.podman.sdnotify}" "-d" "--replace" ]
        ++ pairs "-e" entry.environment
        ++ each "--env-file" (map toString entry.environmentFiles)
        ++ each "-p" entry.ports
        ++ given "--user" entry.user
        ++ each "-v" entry.volumes
        ++ pairs "-l" entry.labels
        ++ given "--workdir" entry.workdir
        ++ lib.optional entry.privileged "--privileged"
        ++ lib.optional entry.autoRemoveOnStop "--rm"
        ++ lib.mapAttrsToList (key: value: "--cap-${if value then "add" else "drop"}=${argument key}") (
          lib.filterAttrs (_: value: value != null) entry.capabilities
        )
        ++ map (device: "--device=${argument device}") entry.devices
        ++ map (network: "--network=${argument network}") (lib.unique entry.networks)
        ++ [ "--pull=${entry.pull}" ]
        ++ map argument entry.extraOptions
        ++ [ (argument entry.image) ]
        ++ map argument entry.cmd;
    in
    {
      description = "Container ${name}";
      wantedBy = lib.optional entry.autoStart "multi-user.target";
      wants = online;
      requires = others;
      after = online ++ others ++ lib.optionals (!podman) [ "docker.service" "docker.socket" ];
      environment = lib.optionalAttrs (user != "root") { HOME = config.users.users.${user}.home; };
      preStart = ''
        ${program} rm -f ${argument name} 2>/dev/null || true
        ${lib.optionalString loggedIn ''
          ${program} login ${argument login.registry} --username ${argument login.username} --password-stdin <${argument login.passwordFile} ||
            ${program} image inspect ${argument entry.image} >/dev/null
        ''}
        ${lib.optionalString (entry.imageFile != null) "${program} load -i ${argument "${entry.imageFile}"}"}
        ${lib.optionalString (entry.imageStream != null) "${entry.imageStream} | ${program} load"}
        ${lib.optionalString podman "rm -f ${identity}"}
      '';
      script = "exec ${program} ${lib.concatStringsSep " \\\n  " words}";
      preStop = if podman then "${program} stop --ignore --cidfile=${identity}" else "${program} stop ${argument name} || true";
      postStop = if podman then "${program} rm -f --ignore --cidfile=${identity}" else "${program} rm -f ${argument name} || true";
      serviceConfig = {
        TimeoutStartSec = 0;
        TimeoutStopSec = 120;
        Restart = "on-failure";
      }
      // lib.optionalAttrs podman {
        Environment = "PODMAN_SYSTEMD_UNIT=%n";
        Type = "notify";
        NotifyAccess = "all";
        Delegate = true;
        User = user;
        RuntimeDirectory = name;
      };
    };
in
{
  options.virtualisation.oci-containers = {
    backend = forms.of (types.enum [ "podman" "docker" ]) "podman" "The program that runs them.";
    containers = mkOption {
      type = types.attrsOf container;
      default = { };
      example = lib.literalExpression ''{ hello = { image = "docker.io/library/nginx"; ports = [ "8080:80" ]; }; }'';
      description = "Containers by name, each a service.";
    };
  };

  config = lib.mkIf (cfg.containers != { }) {
    virtualisation.podman.enable = lib.mkIf podman true;
    virtualisation.docker.enable = lib.mkIf (!podman) true;
    systemd.services = lib.mapAttrs' (name: entry: lib.nameValuePair entry.serviceName (service name entry)) cfg.containers;
    assertions = lib.concatLists (
      lib.mapAttrsToList (name: entry: [
        {
          assertion = entry.imageFile == null || entry.imageStream == null;
          message = "virtualisation.oci-containers.containers.${name}: only one of 'imageFile' and 'imageStream' may be set";
        }
        {
          assertion = podman || entry.podman == null;
          message = "virtualisation.oci-containers.containers.${name}: 'podman' is set, and the backend is docker";
        }
        {
          assertion = lib.count (value: value == null) [ entry.login.username entry.login.passwordFile entry.login.registry ] != 1
            && lib.count (value: value == null) [ entry.login.username entry.login.passwordFile entry.login.registry ] != 2;
          message = "virtualisation.oci-containers.containers.${name}.login: 'username', 'passwordFile' and 'registry' belong together";
        }
      ]) cfg.containers
    );
  };
}
