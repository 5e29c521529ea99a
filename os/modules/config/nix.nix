# Settings of Firn (and of Nix, where it is installed beside it): /etc/nix/nix.conf and the registry.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.nix;

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
