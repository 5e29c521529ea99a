# The ssh client's configuration for the whole machine, and its agent.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.ssh;
  list = name: values: lib.optionalString (values != null && values != [ ]) "${name} ${lib.concatStringsSep "," values}\n";
  text =
    cfg.extraConfig
    + lib.optionalString (cfg.extraConfig != "") "\nHost *\n"
    + lib.optionalString (cfg.forwardX11 != false) "ForwardX11 ${if cfg.forwardX11 == null then "no" else "yes"}\n"
    + list "HostKeyAlgorithms" cfg.hostKeyAlgorithms
    + list "PubkeyAcceptedAlgorithms" cfg.pubkeyAcceptedKeyTypes
    + list "KexAlgorithms" cfg.kexAlgorithms
    + list "Ciphers" cfg.ciphers
    + list "MACs" cfg.macs;
  plain = cfg.forwardX11 == false && cfg.hostKeyAlgorithms ++ cfg.pubkeyAcceptedKeyTypes == [ ] && cfg.kexAlgorithms == null && cfg.ciphers == null && cfg.macs == null;
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
    package = forms.package "openssh-client";
    startAgent = forms.bool false "Whether each user has an agent that keeps keys.";
    agentTimeout = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "1h";
      description = "How long the agent keeps a key; null is without end.";
    };
    agentPKCS11Whitelist = forms.optional types.str "Libraries of PKCS#11 that may be added to the agent.";
    forwardX11 = forms.of (types.nullOr types.bool) false "Whether connections to the display are passed on.";
    setXAuthLocation = forms.bool false "Whether the place of xauth is set; it is Debian's.";
    enableAskPassword = forms.bool false "Whether passwords are asked for by a program with a window.";
    askPassword = forms.str "" "That program.";
    hostKeyAlgorithms = forms.strings "Kinds of hosts' keys that are used.";
    pubkeyAcceptedKeyTypes = forms.strings "Kinds of keys that users log in with.";
    kexAlgorithms = forms.optional (types.listOf types.str) "Ways to exchange keys.";
    ciphers = forms.optional (types.listOf types.str) "Ciphers.";
    macs = forms.optional (types.listOf types.str) "Codes that messages are checked by.";
    knownHosts = mkOption {
      type = types.attrsOf host;
      default = { };
      description = "Keys of hosts that all users trust.";
    };
  };
  config = {
    environment.etc."ssh/ssh_config.d/50-firn.conf" = lib.mkIf (cfg.extraConfig != "" || !plain) { text = if plain then cfg.extraConfig else text; };
    systemd.user.services.ssh-agent = lib.mkIf cfg.startAgent {
      description = "Agent that keeps keys of ssh";
      wantedBy = [ "default.target" ];
      unitConfig.ConditionUser = "!@system";
      serviceConfig = {
        ExecStartPre = "/usr/bin/rm -f %t/ssh-agent";
        ExecStart = "/usr/bin/ssh-agent ${lib.optionalString (cfg.agentTimeout != null) "-t ${cfg.agentTimeout} "}${
          lib.optionalString (cfg.agentPKCS11Whitelist != null) "-P ${cfg.agentPKCS11Whitelist} "
        }-a %t/ssh-agent";
        StandardOutput = "null";
        Type = "forking";
        Restart = "on-failure";
        SuccessExitStatus = "0 2";
      };
    };
    environment.extraInit = lib.mkIf cfg.startAgent ''
      if [ -z "$SSH_AUTH_SOCK" ] && [ -n "$XDG_RUNTIME_DIR" ]; then export SSH_AUTH_SOCK="$XDG_RUNTIME_DIR/ssh-agent"; fi
    '';
    system.debian.packages = lib.optional cfg.startAgent cfg.package.deb;
    environment.variables = lib.mkIf cfg.enableAskPassword { SSH_ASKPASS = cfg.askPassword; };
    environment.etc."ssh/ssh_known_hosts" = lib.mkIf (hosts != [ ]) { text = lib.concatMapStrings line hosts; };
    assertions = map (entry: {
      assertion = (entry.publicKey == null) != (entry.publicKeyFile == null);
      message = "programs.ssh.knownHosts.${lib.head entry.hostNames}: exactly one of publicKey and publicKeyFile has to be set";
    }) hosts;
  };
}
