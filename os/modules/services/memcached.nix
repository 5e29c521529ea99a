# memcached: keeps values in memory, for programs of pages.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.memcached;
in
{
  options.services.memcached = {
    enable = lib.mkEnableOption "memcached, which keeps values in memory";
    user = forms.str "memcached" "The account as which it runs.";
    listen = forms.str "127.0.0.1" "Address where it listens.";
    port = forms.port 11211 "Port where it listens.";
    enableUnixSocket = forms.bool false "Whether it listens at `/run/memcached/memcached.sock` in place of a port.";
    maxMemory = forms.of lib.types.ints.unsigned 64 "Memory in megabytes.";
    maxConnections = forms.of lib.types.ints.unsigned 1024 "How many connections there may be.";
    extraOptions = forms.strings "Further arguments.";
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "memcached" ];
    # Its directory is of another account.
    system.debian.exclude = [ "usr/lib/tmpfiles.d/memcached.conf" ];
    users.users.${cfg.user} = lib.mkIf (cfg.user == "memcached") {
      group = "memcached";
      isSystemUser = true;
      description = "memcached";
    };
    users.groups.memcached = lib.mkIf (cfg.user == "memcached") { };
    systemd.services.memcached = {
      description = "memcached";
      documentation = [ "man:memcached(1)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      serviceConfig = forms.hardening // {
        ExecStart =
          "/usr/bin/memcached ${if cfg.enableUnixSocket then "-s /run/memcached/memcached.sock" else "-l ${cfg.listen} -p ${toString cfg.port}"}"
          + " -m ${toString cfg.maxMemory} -c ${toString cfg.maxConnections} ${lib.escapeShellArgs cfg.extraOptions}";
        User = cfg.user;
        RuntimeDirectory = "memcached";
        CapabilityBoundingSet = "";
        Restart = "on-failure";
      };
    };
    networking.claimedPorts = lib.optional (!cfg.enableUnixSocket) {
      inherit (cfg) port;
      by = "services.memcached";
    };
  };
}
