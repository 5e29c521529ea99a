# inadyn: tells providers of names which address the machine has.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.inadyn;
  setting =
    name: value:
    if value == null then
      ""
    else if name == "include" then
      "include(\"${toString value}\")\n"
    else
      "${name} = ${literal value}\n";
  literal =
    value:
    if builtins.isBool value then
      lib.boolToString value
    else if builtins.isInt value then
      toString value
    else if builtins.isList value then
      "{ ${lib.concatMapStringsSep ", " literal value} }"
    else
      builtins.toJSON (toString value);
  section = kind: name: settings: "${kind} ${name} {\n${lib.concatStrings (lib.mapAttrsToList setting settings)}}\n";
  global = removeAttrs cfg.settings [ "provider" "custom" ];
  text =
    lib.concatStrings (lib.mapAttrsToList setting global)
    + lib.concatStrings (lib.mapAttrsToList (section "provider") cfg.settings.provider)
    + lib.concatStrings (lib.mapAttrsToList (section "custom") cfg.settings.custom);
  file = if cfg.configFile == null then pkgs.writeText "inadyn.conf" text else cfg.configFile;
  account = {
    ssl = forms.bool true "Whether the provider is spoken to by TLS.";
    username = forms.optional types.str "Name at the provider.";
    password = forms.optional types.str "Password, which all can read in the store; {option}`include` is for files.";
    include = forms.optional types.path "File with further settings, such as the password.";
    hostname = forms.of (types.either types.str (types.listOf types.str)) "*" "Names that get the address.";
  };
  sections =
    more:
    forms.attrsOf (types.submodule {
      freeformType = types.attrsOf types.anything;
      options = account // more;
    });
in
{
  options.services.inadyn = {
    enable = lib.mkEnableOption "inadyn, which tells providers of names which address the machine has";
    user = forms.str "inadyn" "The account as which it runs.";
    group = forms.str "inadyn" "The group as which it runs.";
    interval = forms.str "*-*-* *:*:00" "When, as a calendar event of systemd.time(7).";
    logLevel = forms.of (types.enum [ "none" "err" "warning" "info" "notice" "debug" ]) "notice" "What is logged.";
    configFile = forms.optional types.path "A configuration in place of one made of these options.";
    settings = mkOption {
      default = { };
      example.provider."ipv64.net" = {
        include = "/run/secrets/names";
        hostname = [ "home.example.org" ];
      };
      description = "Settings; see inadyn.conf(5).";
      type = types.submodule {
        freeformType = types.attrsOf types.anything;
        options = {
          allow-ipv6 = forms.bool config.networking.enableIPv6 "Whether IPv6 addresses are told.";
          forced-update = forms.of types.ints.positive 2592000 "Seconds after which an address is told again.";
          provider = sections { } "Providers that inadyn knows, by name." ;
          custom = sections {
            ddns-server = forms.required types.str "Server.";
            ddns-path = forms.required types.str "Path of the request.";
          } "Other providers, by name.";
        };
      };
    };
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "inadyn" ];
    users.users.${cfg.user} = lib.mkIf (cfg.user == "inadyn") {
      inherit (cfg) group;
      isSystemUser = true;
      description = "inadyn";
    };
    users.groups.${cfg.group} = lib.mkIf (cfg.group == "inadyn") { };
    systemd.services.inadyn = {
      description = "Address of the machine for its providers of names";
      documentation = [ "man:inadyn(8)" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      startAt = cfg.interval;
      serviceConfig = forms.hardening // {
        Type = "oneshot";
        User = cfg.user;
        Group = cfg.group;
        CacheDirectory = "inadyn";
        UMask = "0177";
        ExecStart = "/usr/bin/inadyn --config ${file} --cache-dir /var/cache/inadyn --foreground --once --no-pidfile --loglevel ${cfg.logLevel}";
      };
    };
    systemd.timers.inadyn.timerConfig.Persistent = true;
  };
}
