# OpenVPN: tunnels by TLS.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.openvpn;
  script = name: text: pkgs.writeShellScript "openvpn-${name}" "export PATH=/usr/sbin:/usr/bin\n${text}";
  resolve = "/etc/openvpn/update-resolv-conf\n";
  textOf =
    name: server:
    let
      up = lib.optionalString server.updateResolvConf resolve + server.up;
      down = lib.optionalString server.updateResolvConf resolve + server.down;
      login = server.authUserPass;
    in
    ''
      errors-to-stderr
      ${lib.optionalString (up != "" || down != "") "script-security 2"}
      ${server.config}
      ${lib.optionalString (up != "") "up ${script "${name}-up" up}"}
      ${lib.optionalString (down != "") "down ${script "${name}-down" down}"}
      ${lib.optionalString (login != null) "auth-user-pass ${if builtins.isString login then login else pkgs.writeText "openvpn-login" "${login.username}\n${login.password}\n"}"}
    '';
in
{
  options.services.openvpn = {
    package = forms.package "openvpn";
    restartAfterSleep = forms.bool true "Whether tunnels begin anew when the machine wakes.";
    servers = lib.mkOption {
      default = { };
      example.office.config = "config /root/office.ovpn";
      description = "Tunnels by name, of clients and of servers; each has the unit `openvpn-NAME`.";
      type = types.attrsOf (types.submodule {
        options = {
          config = forms.required types.lines "Text of its configuration; see openvpn(8).";
          up = forms.lines "Text of the shell that runs when it is up.";
          down = forms.lines "Text of the shell that runs when it is down.";
          autoStart = forms.bool true "Whether it is started with the machine.";
          updateResolvConf = forms.bool false "Whether servers of names that the other side tells are used; by resolvconf.";
          authUserPass = forms.optional (types.either types.singleLineStr (types.submodule {
            options = {
              username = forms.required types.str "Name.";
              password = forms.required types.str "Password, which all can read in the store.";
            };
          })) "File with a name and a password, or both.";
        };
      });
    };
  };
  config = lib.mkIf (cfg.servers != { }) {
    system.debian.packages = [ cfg.package.deb ];
    boot.kernelModules = [ "tun" ];
    # The package's own way to start tunnels, of files in /etc/openvpn.
    environment.etc."systemd/system-generators/openvpn-generator".source = "/dev/null";
    systemd.services =
      lib.mapAttrs' (
        name: server:
        lib.nameValuePair "openvpn-${name}" {
          description = "Tunnel ${name}";
          documentation = [ "man:openvpn(8)" ];
          wantedBy = lib.optional server.autoStart "multi-user.target";
          after = [ "network.target" ];
          serviceConfig = {
            Type = "notify";
            ExecStart = "/usr/sbin/openvpn --suppress-timestamps --config ${pkgs.writeText "openvpn-${name}.conf" (textOf name server)}";
            Restart = "always";
          };
        }
      ) cfg.servers
      // lib.optionalAttrs cfg.restartAfterSleep {
        openvpn-restart = {
          description = "Tunnels begin anew after sleep";
          wantedBy = [ "sleep.target" ];
          path = [ pkgs.procps ];
          script = "pkill --signal SIGHUP --exact openvpn || true";
          serviceConfig.Type = "oneshot";
        };
      };
  };
}
