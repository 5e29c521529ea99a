# Settings of Firn (and of Nix, where it is installed beside it): /etc/nix/nix.conf and the registry.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.nix;
  builder = types.submodule {
    options = {
      hostName = forms.required types.str "Name of the machine.";
      protocol = forms.of (types.nullOr (types.enum [ "ssh" "ssh-ng" ])) "ssh" "How it is spoken with; null is as the name says.";
      system = forms.optional types.str "What it builds for.";
      systems = forms.strings "What it builds for.";
      sshUser = forms.optional types.str "User that logs in.";
      sshKey = forms.optional types.str "File of the key, outside the store.";
      maxJobs = forms.int 1 "How many builds it does at once.";
      speedFactor = forms.int 1 "How fast it is.";
      mandatoryFeatures = forms.strings "Features that a build has to ask for.";
      supportedFeatures = forms.strings "Features that it has.";
      publicHostKey = forms.optional types.str "Its key, in base 64.";
    };
  };
  orNone = list: if list == [ ] then "-" else lib.concatStringsSep "," list;
  machine =
    entry:
    lib.concatStringsSep " " [
      "${lib.optionalString (entry.protocol != null) "${entry.protocol}://"}${lib.optionalString (entry.sshUser != null) "${entry.sshUser}@"}${entry.hostName}"
      (orNone (lib.optional (entry.system != null) entry.system ++ entry.systems))
      (if entry.sshKey == null then "-" else entry.sshKey)
      (toString entry.maxJobs)
      (toString entry.speedFactor)
      (orNone (entry.supportedFeatures ++ entry.mandatoryFeatures))
      (orNone entry.mandatoryFeatures)
      (if entry.publicHostKey == null then "-" else entry.publicHostKey)
    ]
    + "\n";

  single = types.nullOr (types.oneOf [ types.bool types.int types.float types.str types.path types.package ]);
  setting = types.either single (types.listOf single);
  text =
    value:
    if value == null then
      ""
    else if builtins.isBool value then
      lib.boolToString value
    else if builtins.isFloat value then
      builtins.toJSON value
    else if builtins.isList value then
      lib.concatMapStringsSep " " text value
    else
      toString value;
  line = name: value: "${name} = ${text value}\n";
  # Those that add to others come after them, else they would be lost.
  isExtra = name: _: lib.hasPrefix "extra-" name;
  lines = attributes: lib.concatStrings (lib.mapAttrsToList line attributes);

  registryEntry = types.submodule (
    { name, config, ... }:
    {
      options = {
        from = mkOption {
          type = types.attrsOf types.anything;
          default = {
            type = "indirect";
            id = name;
          };
          defaultText = lib.literalExpression ''{ type = "indirect"; id = name; }'';
          description = "The flake reference that is replaced.";
        };
        to = mkOption {
          type = types.attrsOf types.anything;
          example = {
            type = "path";
            path = "/srv/flakes/mine";
          };
          description = "The flake reference that takes its place.";
        };
        flake = mkOption {
          type = types.nullOr types.attrs;
          default = null;
          example = lib.literalExpression "inputs.os";
          description = "A flake's value; the reference then leads to its files.";
        };
        exact = mkOption {
          type = types.bool;
          default = true;
          description = "Whether only the very reference is replaced, not one with a branch or revision added.";
        };
      };
      config.to = lib.mkIf (config.flake != null) (
        lib.mkDefault (
          {
            type = "path";
            path = config.flake.outPath;
          }
          // lib.filterAttrs (key: _: builtins.elem key [ "lastModified" "rev" "revCount" "narHash" ]) config.flake
        )
      );
    }
  );
in
{
  options.nix = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether `/etc/nix` is written.";
    };
    settings = mkOption {
      type = types.attrsOf setting;
      default = { };
      example = {
        deb-mirrors = [ "debian=https://mirror.example.org/debian" ];
        max-jobs = 4;
      };
      description = ''
        Settings by name; values of a list are put on one line. `deb-mirrors` says where the packages of Debian come from.
      '';
    };
    package = forms.of types.package config.programs.firn.package "The package of what builds: Firn's.";
    buildMachines = forms.listOf builder "Machines that builds are done on, with {option}`nix.distributedBuilds`.";
    distributedBuilds = forms.bool false "Whether builds are done on other machines.";
    nixPath = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Entries of the search path, as NIX_PATH has them.";
    };
    extraOptions = mkOption {
      type = types.lines;
      default = "";
      example = "keep-outputs = true";
      description = "Lines added to `nix.conf`.";
    };
    registry = mkOption {
      type = types.attrsOf registryEntry;
      default = { };
      description = "Short names of flakes, for all users.";
    };
  };

  config = lib.mkIf cfg.enable {
    # A machine without apt learns only here where its packages come from.
    nix.settings.deb-mirrors = lib.mkDefault [
      "debian=http://deb.debian.org/debian"
      "debian-security=http://deb.debian.org/debian-security"
    ];
    nix.settings.deb-snapshots = lib.mkDefault [
      "debian=http://snapshot.debian.org/archive/debian"
      "debian-security=http://snapshot.debian.org/archive/debian-security"
    ];
    nix.settings.npm-registry = lib.mkDefault "https://registry.npmjs.org";
    environment.etc."nix/machines" = lib.mkIf (cfg.buildMachines != [ ]) { text = lib.concatMapStrings machine cfg.buildMachines; };
    nix.settings.builders = lib.mkIf (!cfg.distributedBuilds && cfg.buildMachines != [ ]) (lib.mkDefault null);
    environment.etc."nix/nix.conf" = lib.mkIf (cfg.settings != { } || cfg.extraOptions != "") {
      text =
        lines (lib.filterAttrs (name: value: !isExtra name value) cfg.settings)
        + lines (lib.filterAttrs isExtra cfg.settings)
        + cfg.extraOptions;
    };
    environment.sessionVariables = lib.mkIf (cfg.nixPath != [ ]) { NIX_PATH = cfg.nixPath; };
    environment.etc."nix/registry.json" = lib.mkIf (cfg.registry != { }) {
      text = builtins.toJSON {
        version = 2;
        flakes = lib.mapAttrsToList (_: entry: { inherit (entry) from to exact; }) cfg.registry;
      };
    };
  };
}
