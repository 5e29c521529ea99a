# PHP-FPM: pages and programs in PHP, in pools of processes that belong to an account each.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.phpfpm;
  atom = types.attrsOf (types.oneOf [ types.str types.int types.bool ]);
  # Debian's package of the version in the lock.
  versions = builtins.filter (version: version != null) (map (name: builtins.match "php([0-9.]+)-fpm" name) (builtins.attrNames pkgs.lock.packages));
  version = if versions == [ ] then pkgs.php-fpm else builtins.head (lib.last versions);

  lines = settings: lib.concatStrings (lib.mapAttrsToList (name: content: "${name} = ${if builtins.isBool content then lib.boolToString content else toString content}\n") settings);
  poolText =
    name: pool:
    pkgs.writeText "phpfpm-${name}.conf" (
      "[global]\n"
      + lines ({ daemonize = false; error_log = "syslog"; } // cfg.settings)
      + lib.optionalString (cfg.extraConfig != null) cfg.extraConfig
      + "\n[${name}]\n"
      + lines (
        {
          listen = pool.socket;
          inherit (pool) user group;
        }
        // pool.settings
      )
      + lib.concatStrings (lib.mapAttrsToList (key: content: "env[${key}] = \"${content}\"\n") pool.phpEnv)
      + lib.optionalString (pool.extraConfig != null) pool.extraConfig
    );
  # Read after the settings of the packages' modules.
  settingsOf = pool: pkgs.writeTextDir "options.ini" (pool.phpPackage.phpIni or "" + pool.phpOptions);
  # Modules of other packages than Debian's are a matter of these.
  foreign = lib.filterAttrs (_: pool: !(pool.phpPackage ? deb)) cfg.pools;
in
{
  options.services.phpfpm = {
    phpPackage = forms.of types.package pkgs.php "The PHP of pools that name none. Modules of one pool's are there for all; `pkgs.php` has those of nixpkgs' that are locked.";
    phpOptions = forms.lines "Settings of php.ini, of all pools.";
    settings = forms.of atom { } "Global settings of php-fpm.conf.";
    extraConfig = forms.optional types.lines "Text added to the global settings.";
    pools = mkOption {
      default = { };
      example = lib.literalExpression ''
        {
          wiki = {
            user = "wiki";
            phpPackage = pkgs.php.withExtensions ({ enabled, all }: enabled ++ [ all.pgsql ]);
            settings = {
              "listen.owner" = config.services.nginx.user;
              pm = "ondemand";
              "pm.max_children" = 8;
            };
          };
        }
      '';
      description = "Pools by name.";
      type = types.attrsOf (
        types.submodule (
          { name, config, ... }:
          {
            options = {
              socket = mkOption {
                type = types.str;
                readOnly = true;
                default = if config.listen == "" then "/run/phpfpm/${name}.sock" else config.listen;
                defaultText = "/run/phpfpm/NAME.sock";
                description = "Where it listens.";
              };
              listen = forms.str "" "Where it listens instead: an address and a port, or a socket.";
              phpPackage = forms.of types.package cfg.phpPackage "The PHP.";
              phpOptions = forms.lines "Settings of php.ini.";
              phpEnv = forms.of (types.attrsOf types.str) { } "Variables of its programs.";
              user = forms.required types.str "The account as which it runs.";
              group = forms.required types.str "The group as which it runs.";
              settings = forms.of atom { } "Settings of the pool; see php-fpm.conf.";
              extraConfig = forms.optional types.lines "Text added to the pool's settings.";
            };
            config.phpOptions = lib.mkBefore cfg.phpOptions;
          }
        )
      );
    };
  };

  config = lib.mkIf (cfg.pools != { }) {
    system.debian.packages = [
      "php${version}-fpm"
    ]
    ++ lib.concatMap (pool: pool.phpPackage.extensionPackages or [ ]) (builtins.attrValues cfg.pools);
    assertions = lib.mapAttrsToList (name: _: {
      assertion = false;
      message = "services.phpfpm.pools.${name}.phpPackage: PHP is Debian's: pkgs.php, with modules by pkgs.php.withExtensions";
    }) foreign;
    systemd.slices.system-phpfpm.description = "Pools of PHP";
    systemd.targets.phpfpm = {
      description = "Pools of PHP";
      wantedBy = [ "multi-user.target" ];
    };
    # The package's own unit has a pool that nobody declared.
    systemd.services = {
      "php${version}-fpm".enable = false;
    }
    // lib.mapAttrs' (
      name: pool:
      lib.nameValuePair "phpfpm-${name}" {
        description = "PHP of ${name}";
        wantedBy = [ "phpfpm.target" ];
        partOf = [ "phpfpm.target" ];
        after = [ "network.target" ];
        # An empty entry is the directory of the packages' modules.
        environment.PHP_INI_SCAN_DIR = ":${settingsOf pool}";
        serviceConfig = {
          Slice = "system-phpfpm.slice";
          Type = "notify";
          ExecStart = "/usr/sbin/php-fpm${version} -F -y ${poolText name pool}";
          ExecReload = "kill -USR2 $MAINPID";
          RuntimeDirectory = "phpfpm";
          RuntimeDirectoryPreserve = true;
          Restart = "always";
          PrivateDevices = true;
          PrivateTmp = true;
          ProtectSystem = "full";
          ProtectHome = true;
          RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" "AF_NETLINK" ];
        };
      }
    ) cfg.pools;
  };
}
