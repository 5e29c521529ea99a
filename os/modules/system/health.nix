# What must hold after a switch for it to be kept; else the previous generation comes back by itself.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.system.healthCheck = {
    timeout = mkOption {
      type = types.ints.positive;
      default = 30;
      description = "Seconds that the units have to become active after a switch.";
    };
    units = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "nginx.service" ];
      description = "Units that must be active after a switch; otherwise the previous generation is activated again.";
    };
    network = mkOption {
      type = types.bool;
      default = config.networking.interfaces != { } || config.networking.useDHCP;
      defaultText = "whether the network is configured";
      description = "Whether a machine that had a route to the network before a switch must have one after it.";
    };
  };
}
