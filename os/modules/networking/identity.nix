# What a machine is on its network besides its name: its id, the names of its interfaces, and the proxies that it uses.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.networking;
  proxy = name: mkOption {
    type = types.nullOr types.str;
    default = cfg.proxy.default;
    defaultText = lib.literalExpression "config.networking.proxy.default";
    description = "Proxy of ${name}.";
  };
  variables = {
    http_proxy = cfg.proxy.httpProxy;
    https_proxy = cfg.proxy.httpsProxy;
    ftp_proxy = cfg.proxy.ftpProxy;
    rsync_proxy = cfg.proxy.rsyncProxy;
    all_proxy = cfg.proxy.allProxy;
    no_proxy = cfg.proxy.noProxy;
  };
  # The bytes of the id, the last first.
  bytes = map (at: builtins.substring at 2 cfg.hostId) [ 6 4 2 0 ];
in
{
  options.networking = {
    hostId = forms.optional (types.strMatching "[0-9a-f]{8}") "Number of the machine: eight hexadecimal digits.";
    usePredictableInterfaceNames = forms.bool true "Whether interfaces have names by their place, such as `enp1s0`.";
    proxy = {
      default = forms.optional types.str "Proxy of all that has no other.";
      httpProxy = proxy "HTTP";
      httpsProxy = proxy "HTTPS";
      ftpProxy = proxy "FTP";
      rsyncProxy = proxy "rsync";
      allProxy = proxy "all else";
      noProxy = forms.optional types.str "Hosts that are reached without a proxy.";
      envVars = mkOption {
        type = types.attrs;
        internal = true;
        default = lib.filterAttrs (_: value: value != null) variables;
        description = "Variables that tell programs of the proxies.";
      };
    };
  };
  config = {
    environment.sessionVariables = cfg.proxy.envVars;
    boot.kernelParams = lib.optional (!cfg.usePredictableInterfaceNames) "net.ifnames=0";
    environment.etc.hostid = lib.mkIf (cfg.hostId != null) {
      source = pkgs.runCommand "hostid" { } "printf '${lib.concatMapStrings (byte: "\\x${byte}") bytes}' >$out";
    };
  };
}
