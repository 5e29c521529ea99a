# Which service listens where, so that two on one port are found before the machine finds out.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  claims = config.networking.claimedPorts;
  key = claim: "${claim.protocol}/${toString claim.port}";
  # An address of its own does not clash with another one; all addresses clash with every one.
  clash =
    a: b:
    a.by != b.by
    && key a == key b
    && (a.address == null || b.address == null || a.address == b.address);
  clashes = lib.concatMap (a: map (b: { inherit a b; }) (builtins.filter (b: a.by < b.by && clash a b) claims)) claims;
in
{
  options.networking.claimedPorts = mkOption {
    internal = true;
    default = [ ];
    description = "Ports on which declared services listen.";
    type = types.listOf (
      types.submodule {
        options = {
          port = mkOption {
            type = types.port;
            description = "The port.";
          };
          protocol = mkOption {
            type = types.enum [ "tcp" "udp" ];
            default = "tcp";
            description = "The protocol.";
          };
          address = mkOption {
            type = types.nullOr types.str;
            default = null;
            description = "The address; null is all of them.";
          };
          by = mkOption {
            type = types.str;
            description = "The option that says so.";
          };
        };
      }
    );
  };
  config.assertions = map (
    { a, b }:
    {
      assertion = false;
      message = "${a.by} and ${b.by} both want ${lib.toUpper a.protocol} port ${toString a.port}; give one of them another";
    }
  ) (lib.unique clashes);
}
