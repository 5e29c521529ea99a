# Samba: files and printers for Windows and everything else that speaks SMB.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.samba;
  atom = types.nullOr (types.oneOf [ types.bool types.int types.float types.str types.path ]);
  section = types.attrsOf (types.either atom (types.listOf atom));
  value =
    content:
    if builtins.isList content then
      lib.concatMapStringsSep " " value content
    else if content == true then
      "yes"
    else if content == false then
      "no"
    else if builtins.isPath content then
      "${content}"
    else
      toString content;
  sectionText =
    name: keys:
    "[${name}]\n"
    + lib.concatStrings (lib.mapAttrsToList (key: content: lib.optionalString (content != null) "${key} = ${value content}\n") keys)
    + "\n";
  text = sectionText "global" cfg.settings.global + lib.concatStrings (lib.mapAttrsToList sectionText (removeAttrs cfg.settings [ "global" ]));

  daemon = what: {
    enable = forms.bool true "Whether ${what} runs.";
    extraArgs = forms.strings "Further arguments.";
  };
  unit =
    name: description: after: arguments: more:
    {
      inherit description;
      documentation = [ "man:${name}(8)" "man:smb.conf(5)" ];
      wantedBy = [ "samba.target" ];
      partOf = [ "samba.target" ];
      wants = [ "network-online.target" ];
      after = [ "network.target" "network-online.target" ] ++ after;
      restartTriggers = [ text ];
      unitConfig.RequiresMountsFor = "/var/lib/samba";
      reload = "kill -HUP $MAINPID";
      serviceConfig = {
        Type = "notify";
        ExecStart = "/usr/sbin/${name} --foreground --no-process-group ${lib.escapeShellArgs arguments}";
        PIDFile = "/run/samba/${name}.pid";
        RuntimeDirectory = "samba";
        RuntimeDirectoryPreserve = true;
        Slice = "system-samba.slice";
        LimitCORE = "infinity";
      }
      // more;
    };
in
{
  options.services.samba = {
    enable = lib.mkEnableOption "Samba, which shares files by SMB";
    package = forms.package "samba";
    openFirewall = forms.bool false "Whether the firewall lets clients in.";
    smbd = daemon "the server of files";
    nmbd = daemon "the server of NetBIOS names";
    winbindd = daemon "the server that knows users of other machines";
    usershares = {
      enable = lib.mkEnableOption "shares that users make";
      group = forms.str "samba" "The group whose members may make shares.";
    };
    nsswins = forms.bool false "Whether programs resolve NetBIOS names.";
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf section;
        options.global = mkOption {
          type = types.submodule {
            freeformType = section;
            options = {
              security = forms.of (types.enum [ "auto" "user" "domain" "ads" ]) "user" "How users are known.";
              "invalid users" = forms.of (types.listOf types.str) [ "root" ] "Users that may not log in.";
              "passwd program" = forms.str "/run/wrappers/bin/passwd %u" "Program that changes a password.";
            };
          };
          default = { };
          description = "Settings of the server.";
        };
      };
      default = { };
      example = {
        public = {
          path = "/srv/public";
          "read only" = "yes";
          "guest ok" = "yes";
        };
      };
      description = "Settings and shares by section; see smb.conf(5). Passwords are set by `smbpasswd -a`.";
    };
  };

  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb "cifs-utils" ] ++ lib.optional cfg.winbindd.enable "winbind" ++ lib.optional cfg.nsswins "libnss-winbind";
    environment.etc."samba/smb.conf".text = text;
    system.nssDatabases.hosts = lib.optional cfg.nsswins "wins";
    security.wrappers."mount.cifs" = {
      source = "/usr/sbin/mount.cifs";
      owner = "root";
      group = "root";
      setuid = true;
    };
    services.samba.settings.global = lib.mkIf cfg.usershares.enable {
      "usershare path" = lib.mkDefault "/var/lib/samba/usershares";
      "usershare max shares" = lib.mkDefault 100;
      "usershare allow guests" = lib.mkDefault true;
    };
    users.groups = lib.mkIf cfg.usershares.enable { ${cfg.usershares.group} = { }; };
    networking.firewall = lib.mkIf cfg.openFirewall {
      allowedTCPPorts = [ 139 445 ];
      allowedUDPPorts = [ 137 138 ];
    };
    networking.claimedPorts = lib.optionals cfg.smbd.enable (
      map (port: {
        inherit port;
        by = "services.samba.smbd";
      }) [ 139 445 ]
    );
    systemd.tmpfiles.rules = [
      "d /run/lock/samba - - - - -"
      "d /var/log/samba - - - - -"
      "d /var/cache/samba - - - - -"
      "d /var/lib/samba/private 0700 - - - -"
    ]
    ++ lib.optional cfg.usershares.enable "d /var/lib/samba/usershares 1775 root ${cfg.usershares.group} - -";
    systemd.slices.system-samba.description = "Samba";
    systemd.targets.samba = {
      description = "Samba";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network.target" ];
    };
    systemd.services = lib.mkMerge [
      (lib.mkIf cfg.smbd.enable {
        samba-smbd = unit "smbd" "Samba's server of files" (
          lib.optional cfg.nmbd.enable "samba-nmbd.service" ++ lib.optional cfg.winbindd.enable "samba-winbindd.service"
        ) cfg.smbd.extraArgs { LimitNOFILE = 16384; };
      })
      (lib.mkIf cfg.nmbd.enable { samba-nmbd = unit "nmbd" "Samba's server of NetBIOS names" [ ] cfg.nmbd.extraArgs { }; })
      (lib.mkIf cfg.winbindd.enable {
        samba-winbindd = unit "winbindd" "Samba's server of users" (lib.optional cfg.nmbd.enable "samba-nmbd.service") cfg.winbindd.extraArgs { };
      })
    ];
    assertions = [
      {
        assertion = cfg.nsswins -> cfg.winbindd.enable;
        message = "services.samba.nsswins needs services.samba.winbindd.enable";
      }
    ];
  };
}
