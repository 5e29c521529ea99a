# What programs for containers of other systems have in common: storage, registries, policy.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.virtualisation.containers;
  toml = types.oneOf [ types.bool types.int types.float types.str types.path (types.listOf toml) (types.attrsOf toml) ] // { description = "TOML value"; };
  # Tables in one line, which TOML has too.
  inline =
    value:
    if builtins.isAttrs value then
      "{ ${lib.concatStringsSep ", " (lib.mapAttrsToList (name: entry: "${builtins.toJSON name} = ${inline entry}") value)} }"
    else if builtins.isList value then
      "[ ${lib.concatMapStringsSep ", " inline value} ]"
    else
      builtins.toJSON value;
  tomlText = settings: lib.concatStrings (lib.mapAttrsToList (name: value: "${builtins.toJSON name} = ${inline value}\n") settings);
in
{
  options.virtualisation.containers = {
    enable = lib.mkEnableOption "the configuration that podman, buildah and skopeo share";
    containersConf.settings = forms.of (types.attrsOf toml) { } "Settings of containers.conf(5) by section.";
    storage.settings = forms.of (types.attrsOf toml) { } "Settings of containers-storage.conf(5) by section.";
    registries = {
      search = forms.of (types.listOf types.str) [ "docker.io" "quay.io" ] "Registries that images without one are looked for in.";
      insecure = forms.strings "Registries that are spoken with without TLS.";
      block = forms.strings "Registries that nothing is taken from.";
    };
    policy = mkOption {
      type = types.attrsOf toml;
      default = { };
      example = {
        default = [ { type = "insecureAcceptAnything"; } ];
      };
      description = "Which signatures images must have; see containers-policy.json(5). Any image will do when it is empty.";
    };
  };

  config = lib.mkIf cfg.enable {
    virtualisation.containers.containersConf.settings.engine.init_path = lib.mkDefault "/usr/bin/catatonit";
    virtualisation.containers.storage.settings.storage = {
      driver = lib.mkDefault "overlay";
      graphroot = lib.mkDefault "/var/lib/containers/storage";
      runroot = lib.mkDefault "/run/containers/storage";
    };
    system.debian.packages = [ "aardvark-dns" "catatonit" "fuse-overlayfs" "golang-github-containers-common" "netavark" "slirp4netns" "uidmap" ];
    environment.etc = {
      "containers/containers.conf".text = tomlText cfg.containersConf.settings;
      "containers/storage.conf".text = tomlText cfg.storage.settings;
      "containers/registries.conf".text = tomlText {
        unqualified-search-registries = cfg.registries.search;
        registry =
          map (location: {
            inherit location;
            insecure = true;
          }) cfg.registries.insecure
          ++ map (location: {
            inherit location;
            blocked = true;
          }) cfg.registries.block;
      };
      "containers/policy.json".text = builtins.toJSON (if cfg.policy == { } then { default = [ { type = "insecureAcceptAnything"; } ]; } else cfg.policy);
    };
    # Users of a machine's own containers have ids of their own.
    security.wrappers = lib.genAttrs [ "newuidmap" "newgidmap" ] (name: {
      source = "/usr/bin/${name}";
      owner = "root";
      group = "root";
      setuid = true;
    });
  };
}
