# The OpenSSH server.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.openssh;
  atom = types.oneOf [ types.bool types.int types.str (types.listOf types.str) ];
  value =
    content:
    if content == true then
      "yes"
    else if content == false then
      "no"
    else if builtins.isList content then
      lib.concatStringsSep "," content
    else
      toString content;
  # Lists of these are separated by spaces.
  spaced = [ "AcceptEnv" "AllowUsers" "AllowGroups" "DenyUsers" "DenyGroups" "AuthorizedKeysFile" ];
  settingLines = lib.concatStrings (
    lib.mapAttrsToList (
      name: content:
      lib.optionalString (content != null) "${name} ${
        if builtins.isList content && builtins.elem name spaced then lib.concatStringsSep " " content else value content
      }\n"
    ) cfg.settings
  );
  text = ''
    UsePAM yes
    AddressFamily ${if config.networking.enableIPv6 then "any" else "inet"}
    ${lib.concatMapStrings (port: "Port ${toString port}\n") cfg.ports}${
      lib.concatMapStrings (
        entry:
        "ListenAddress ${
          if lib.hasInfix ":" entry.addr then "[${entry.addr}]" else entry.addr
        }${lib.optionalString (entry.port != null) ":${toString entry.port}"}\n"
      ) cfg.listenAddresses
    }${lib.optionalString cfg.allowSFTP "Subsystem sftp ${lib.concatStringsSep " " ([ cfg.sftpServerExecutable ] ++ cfg.sftpFlags)}\n"}AuthorizedKeysFile ${lib.concatStringsSep " " cfg.authorizedKeysFiles}
    ${lib.concatMapStrings (key: "HostKey ${key.path}\n") cfg.hostKeys}${settingLines}${
      lib.optionalString (cfg.authorizedKeysCommand != "none")
        "AuthorizedKeysCommand ${cfg.authorizedKeysCommand}\nAuthorizedKeysCommandUser ${cfg.authorizedKeysCommandUser}\n"
    }${
      lib.optionalString (cfg.banner != null) "Banner /etc/ssh/banner\n"
    }${cfg.extraConfig}
  '';
in
{
  imports = [ (lib.mkAliasOptionModule [ "services" "openssh" "knownHosts" ] [ "programs" "ssh" "knownHosts" ]) ];
  options.services.openssh = {
    package = forms.package "openssh-server";
    enable = lib.mkEnableOption "the OpenSSH server, for remote logins";
    startWhenNeeded = mkOption {
      type = types.bool;
      default = false;
      description = "Whether a server is started for each connection. It is not: one server runs.";
    };
    ports = mkOption {
      type = types.listOf types.port;
      default = [ 22 ];
      description = "Ports the server listens on.";
    };
    openFirewall = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the firewall lets connections to the ports in.";
    };
    listenAddresses = mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            addr = mkOption {
              type = types.str;
              description = "Address or host name.";
            };
            port = mkOption {
              type = types.nullOr types.port;
              default = null;
              description = "Port.";
            };
          };
        }
      );
      default = [ ];
      description = "Addresses the server listens on; all when empty.";
    };
    allowSFTP = mkOption {
      type = types.bool;
      default = true;
      description = "Whether files may be transferred by SFTP.";
    };
    sftpServerExecutable = mkOption {
      type = types.str;
      default = "internal-sftp";
      description = "The SFTP server.";
    };
    sftpFlags = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "-f AUTHPRIV" "-l INFO" ];
      description = "Arguments of the SFTP server.";
    };
    authorizedKeysFiles = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Further files with keys that let a user in, besides `/etc/ssh/authorized_keys.d/%u`, which the configuration fills.";
    };
    authorizedKeysInHomedir = forms.bool true "Whether keys in `~/.ssh/authorized_keys` let a user in.";
    authorizedKeysCommand = forms.str "none" "Program that prints keys that let a user in.";
    authorizedKeysCommandUser = forms.str "nobody" "The account as which that program runs.";
    generateHostKeys = forms.bool true "Whether keys of the host that do not exist are made.";
    moduliFile = forms.optional types.path "File of numbers for the exchange of keys; null is that of the package.";
    hostKeys = mkOption {
      type = types.listOf (types.attrsOf (types.either types.str types.int));
      default = [
        {
          type = "ed25519";
          path = "/etc/ssh/ssh_host_ed25519_key";
        }
      ];
      description = "The host's keys; those that do not exist are made at the first start.";
    };
    banner = mkOption {
      type = types.nullOr types.lines;
      default = null;
      description = "Text shown before a login.";
    };
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf (types.nullOr atom);
        options = {
          PermitRootLogin = mkOption {
            type = types.enum [ "yes" "without-password" "prohibit-password" "forced-commands-only" "no" ];
            default = "prohibit-password";
            description = "Whether root may log in.";
          };
          PasswordAuthentication = mkOption {
            type = types.bool;
            default = true;
            description = "Whether a password lets a user in.";
          };
          KbdInteractiveAuthentication = mkOption {
            type = types.bool;
            default = true;
            description = "Whether interactive authentication does.";
          };
          AcceptEnv = forms.optional (types.listOf types.str) "Variables that clients may set.";
          AllowGroups = forms.optional (types.listOf types.str) "Groups whose members may log in; null is all.";
          AllowUsers = forms.optional (types.listOf types.str) "Users that may log in; null is all.";
          AuthorizedPrincipalsFile = forms.optional types.str "File of the names that certificates may have.";
          Banner = forms.optional types.str "File that is shown before a login.";
          Ciphers = forms.optional (types.listOf types.str) "Ciphers; null leaves those compiled in.";
          DenyGroups = forms.optional (types.listOf types.str) "Groups whose members may not log in.";
          DenyUsers = forms.optional (types.listOf types.str) "Users that may not log in.";
          GatewayPorts = forms.optional types.str "Whether others may connect to forwarded ports; null is no.";
          KexAlgorithms = forms.optional (types.listOf types.str) "Ways to exchange keys; null leaves those compiled in.";
          Macs = forms.optional (types.listOf types.str) "Codes of authentication; null leaves those compiled in.";
          X11Forwarding = mkOption {
            type = types.bool;
            default = false;
            description = "Whether X11 connections are forwarded.";
          };
          LogLevel = mkOption {
            type = types.str;
            default = "INFO";
            description = "How much is logged.";
          };
          UseDns = mkOption {
            type = types.bool;
            default = false;
            description = "Whether host names are looked up.";
          };
          StrictModes = mkOption {
            type = types.bool;
            default = true;
            description = "Whether keys in files that others may write are ignored.";
          };
        };
      };
      default = { };
      description = "Settings of sshd_config(5).";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Text added to sshd_config.";
    };
  };

  config = lib.mkIf cfg.enable {
    system.debian.packages = [
      "openssh-client"
      cfg.package.deb
    ];
    services.openssh.authorizedKeysFiles =
      lib.optional cfg.authorizedKeysInHomedir "%h/.ssh/authorized_keys" ++ [ "/etc/ssh/authorized_keys.d/%u" ];
    environment.etc = {
      "ssh/moduli" = lib.mkIf (cfg.moduliFile != null) { source = cfg.moduliFile; };
      "ssh/sshd_config".text = text;
      "ssh/banner" = lib.mkIf (cfg.banner != null) { text = cfg.banner; };
    };
    networking.firewall.allowedTCPPorts = lib.optionals cfg.openFirewall cfg.ports;
    networking.claimedPorts = map (port: {
      inherit port;
      by = "services.openssh.ports";
    }) cfg.ports;
    systemd.services.sshd = {
      description = "SSH daemon";
      documentation = [ "man:sshd(8)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      aliases = [ "ssh.service" ];
      # Sessions live on in their scopes, so that a restart does not end them.
      stopIfChanged = false;
      restartTriggers = [ text ];
      preStart = ''
        ${lib.optionalString cfg.generateHostKeys (lib.concatMapStrings (key: ''
          if ! [ -s "${key.path}" ]; then
            mkdir -p "$(dirname "${key.path}")"
            ssh-keygen -q -t "${key.type}" ${lib.optionalString (key ? bits) "-b ${toString key.bits}"} -f "${key.path}" -N ""
          fi
        '') cfg.hostKeys)}
        /usr/sbin/sshd -t
      '';
      serviceConfig = {
        Type = "notify";
        ExecStart = "/usr/sbin/sshd -D";
        ExecReload = "/bin/kill -HUP $MAINPID";
        KillMode = "process";
        Restart = "always";
        RuntimeDirectory = "sshd";
        RuntimeDirectoryMode = "0755";
        RuntimeDirectoryPreserve = true;
      };
    };
    assertions = [
      {
        assertion = lib.length cfg.ports == lib.length (lib.unique cfg.ports);
        message = "services.openssh.ports names a port twice";
      }
    ];
  };
}
