# The activation script: snippets in the order of their dependencies. It may run any number of times; it is run at boot before
# systemd starts and at each switch.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  scripts = config.system.activationScripts;

  snippetType = types.coercedTo types.str (text: { inherit text; }) (
    types.submodule {
      options = {
        text = mkOption {
          type = types.lines;
          description = "The shell text.";
        };
        deps = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Names of the snippets that run before this one.";
        };
        supportsDryActivation = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the text heeds `NIXOS_ACTION=dry-activate` and may be run then.";
        };
      };
    }
  );

  # Names after all they depend on, otherwise by name.
  ordered =
    let
      visit =
        path: done: name:
        if builtins.elem name done then
          done
        else if builtins.elem name path then
          throw "system.activationScripts: '${name}' depends on itself through ${lib.concatStringsSep ", " path}"
        else if !(scripts ? ${name}) then
          throw "system.activationScripts: '${builtins.head path}' depends on '${name}', which does not exist"
        else
          builtins.foldl' (visit ([ name ] ++ path)) done scripts.${name}.deps ++ [ name ];
      once = builtins.foldl' (visit [ ]) [ ];
    in
    lib.unique (once (builtins.attrNames scripts));

  snippet = name: ''
    # ${name}
    _failed=0
    ${scripts.${name}.text}
    if [ "$_failed" != 0 ]; then _status=1; printf 'Activation script snippet %s failed\n' '${name}' >&2; fi
  '';
in
{
  options.system.activationScripts = mkOption {
    type = types.attrsOf snippetType;
    default = { };
    example = lib.literalExpression ''{ stdio.text = "mkdir -p /var/lib/mine"; }'';
    description = ''
      Shell snippets that are run (by busybox's shell, which has its programs built in) when the system is activated: at boot and
      at each switch. They must be idempotent and fast.
    '';
  };

  config.system = {
    activationScripts = {
      directories.text = ''
        mkdir -p /bin /var/log /var/lib/firn /var/tmp /var/cache /var/empty /home /srv /mnt /opt /tmp 2>/dev/null || true
        [ -d /root ] || mkdir -m 0700 /root
        chmod 1777 /tmp /var/tmp
        if [ ! -L /usr ]; then
          if [ -d /usr ]; then rmdir /usr 2>/dev/null || mv /usr /usr.before-firn; fi
          ln -s run/current-system/usr /usr
        fi
        for directory in bin sbin lib lib64; do
          if [ ! -L /$directory ]; then
            rmdir /$directory 2>/dev/null || mv "/$directory" "/$directory.before-firn" 2>/dev/null || true
            ln -s usr/$directory /$directory
          fi
        done
        [ -L /var/run ] || ln -s /run /var/run
        [ -L /var/lock ] || ln -s /run/lock /var/lock
      '';
      var = {
        text = "";
        deps = [ "directories" ];
      };
    };

    build.activationScript = ''
      #!${pkgs.busybox} sh
      # Makes the running machine that of this generation: /etc, users, wrappers, /run/current-system.
      systemConfig=@out@
      export PATH=/usr/bin:/usr/sbin
      umask 022
      _status=0
      mkdir -p /run/firn
      ${lib.concatMapStringsSep "\n" snippet ordered}
      # One rename makes this system the current one, /usr with it.
      rm -f /run/.current-system.new
      ln -s "$systemConfig" /run/.current-system.new
      mv -T -f /run/.current-system.new /run/current-system
      mkdir -p /nix/var/nix/gcroots
      for root in current-system booted-system; do
        [ -L "/nix/var/nix/gcroots/$root" ] || ln -s "/run/$root" "/nix/var/nix/gcroots/$root"
      done
      exit $_status
    '';
    build.dryActivationScript = ''
      #!${pkgs.busybox} sh
      systemConfig=@out@
      export PATH=/usr/bin:/usr/sbin NIXOS_ACTION=dry-activate
      _status=0
      ${lib.concatMapStringsSep "\n" snippet (builtins.filter (name: scripts.${name}.supportsDryActivation) ordered)}
      exit $_status
    '';
  };
}
