# Settings of Firn (and of Nix, where it is installed too), and names that configurations of NixOS use.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.nix;
  atom = types.nullOr (types.oneOf [ types.bool types.int types.float types.str types.path types.package ]);
  value =
    content:
    if content == true then
      "true"
    else if content == false then
      "false"
    else if content == null then
      ""
    else if builtins.isList content then
      lib.concatMapStringsSep " " value content
    else
      toString content;
  platform = config.nixpkgs.hostPlatform;
in
{
  options = {
    nix = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether `/etc/nix/nix.conf` is written.";
      };
      settings = mkOption {
        type = types.submodule { freeformType = types.attrsOf (types.either atom (types.listOf atom)); };
        default = { };
        example = {
          deb-mirrors = [ "debian=https://mirror.example.org/debian" ];
          cores = 2;
        };
        description = ''
          Settings of nix.conf. A machine that shall rebuild itself needs `deb-mirrors`, because it has no apt whose sources could be
          read.
        '';
      };
      extraOptions = mkOption {
        type = types.lines;
        default = "";
        description = "Text added to nix.conf.";
      };
      nixPath = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Entries of the search path, as NIX_PATH has them.";
      };
      registry = mkOption {
        type = types.attrsOf (
          types.submodule (
            { name, ... }:
            {
              options = {
                from = mkOption {
                  type = types.attrs;
                  default = {
                    type = "indirect";
                    id = name;
                  };
                  defaultText = "the attribute's name as an indirect reference";
                  description = "The reference that is replaced.";
                };
                to = mkOption {
                  type = types.attrs;
                  example = {
                    type = "github";
                    owner = "me";
                    repo = "machines";
                  };
                  description = "The reference it stands for.";
                };
              };
            }
          )
        );
        default = { };
        description = "Entries of the machine's flake registry.";
      };
    };
    nixpkgs = {
      hostPlatform = mkOption {
        type = types.either types.str types.attrs;
        default = pkgs.system;
        defaultText = "the processor of the package set";
        apply = given: if builtins.isString given then given else given.system;
        description = "The machine's processor and kernel; for now x86_64-linux.";
      };
      system = mkOption {
        type = types.str;
        default = platform;
        defaultText = lib.literalExpression "config.nixpkgs.hostPlatform";
        description = "The same by its old name.";
      };
      config = mkOption {
        type = types.attrs;
        default = { };
        description = "Accepted for compatibility: there is no nixpkgs here to be configured.";
      };
    };
    hardware = {
      enableRedistributableFirmware = mkOption {
        type = types.bool;
        default = false;
        description = "Accepted for compatibility; firmware is not packaged yet, and true is an error.";
      };
      cpu = lib.genAttrs [ "amd" "intel" ] (name: {
        updateMicrocode = mkOption {
          type = types.bool;
          default = false;
          description = "Accepted for compatibility; microcode is not packaged yet, and true is an error.";
        };
      });
    };
  };

  config = {
    assertions = [
      {
        assertion = platform == pkgs.system;
        message = "nixpkgs.hostPlatform is '${platform}', but the packages of the lock are for '${pkgs.system}'";
      }
      {
        assertion = !config.hardware.enableRedistributableFirmware;
        message = "hardware.enableRedistributableFirmware: firmware is not packaged yet";
      }
      {
        assertion = !config.hardware.cpu.amd.updateMicrocode && !config.hardware.cpu.intel.updateMicrocode;
        message = "hardware.cpu: microcode is not packaged yet";
      }
    ];
    environment.etc = {
      "nix/nix.conf" = lib.mkIf cfg.enable {
        text =
          lib.concatStrings (lib.mapAttrsToList (name: content: "${name} = ${value content}\n") cfg.settings) + cfg.extraOptions;
      };
      "nix/registry.json" = lib.mkIf (cfg.registry != { }) {
        text = builtins.toJSON {
          version = 2;
          flakes = lib.mapAttrsToList (_: entry: { inherit (entry) from to; }) cfg.registry;
        };
      };
    };
    environment.sessionVariables = lib.mkIf (cfg.nixPath != [ ]) { NIX_PATH = cfg.nixPath; };
  };
}
