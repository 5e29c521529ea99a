# Firn itself, so that the machine can rebuild itself.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.programs.firn;
in
{
  options.programs.firn = {
    enable = mkOption {
      type = types.bool;
      default = cfg.package != null;
      defaultText = "whether a package is given";
      description = "Whether Firn is part of the system.";
    };
    package = mkOption {
      type = types.nullOr types.package;
      default = null;
      description = "Firn's package.";
    };
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    assertions = [
      {
        assertion = cfg.package != null;
        message = "programs.firn.enable is set, but programs.firn.package is not";
      }
    ];
  };
}
