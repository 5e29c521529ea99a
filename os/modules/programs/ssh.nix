# The ssh client's configuration for the whole machine.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.programs.ssh;
  hosts = builtins.attrValues cfg.knownHosts;
  host = types.submodule (
    { name, config, ... }:
    {
      options = {
        certAuthority = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the key is that of an authority that signs hosts' keys.";
        };
        hostNames = mkOption {
          type = types.listOf types.str;
          default = [ name ] ++ config.extraHostNames;
          defaultText = lib.literalExpression "[ name ] ++ config.extraHostNames";
          description = "Names and addresses of the host.";
        };
        extraHostNames = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Names and addresses besides the attribute's name.";
        };
        publicKey = mkOption {
          type = types.nullOr types.str;
          default = null;
          example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…";
          description = "The host's public key.";
        };
        publicKeyFile = mkOption {
          type = types.nullOr types.path;
          default = null;
          description = "File with the host's public key.";
        };
      };
    }
  );
  line =
    entry:
    lib.optionalString entry.certAuthority "@cert-authority "
    + "${lib.concatStringsSep "," entry.hostNames} ${
      if entry.publicKey != null then entry.publicKey else lib.removeSuffix "\n" (builtins.readFile entry.publicKeyFile)
    }\n";
in
{
  options.programs.ssh = {
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      example = "Host backup\n  Port 2222";
      description = "Text of `/etc/ssh/ssh_config.d/50-firn.conf`; see ssh_config(5).";
    };
    knownHosts = mkOption {
      type = types.attrsOf host;
      default = { };
      description = "Keys of hosts that all users trust.";
    };
  };
  config = {
    environment.etc."ssh/ssh_config.d/50-firn.conf" = lib.mkIf (cfg.extraConfig != "") { text = cfg.extraConfig; };
    environment.etc."ssh/ssh_known_hosts" = lib.mkIf (hosts != [ ]) { text = lib.concatMapStrings line hosts; };
    assertions = map (entry: {
      assertion = (entry.publicKey == null) != (entry.publicKeyFile == null);
      message = "programs.ssh.knownHosts.${lib.head entry.hostNames}: exactly one of publicKey and publicKeyFile has to be set";
    }) hosts;
  };
}
