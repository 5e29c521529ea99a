# Printing, by CUPS.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.printing;
  yes = value: if value then "Yes" else "No";
  ports = lib.unique (map (address: lib.toInt (lib.last (lib.splitString ":" address))) cfg.listenAddresses);
  daemonText =
    lib.concatMapStrings (address: "Listen ${address}\n") cfg.listenAddresses
    + ''
      Listen /run/cups/cups.sock
      DefaultShared ${yes cfg.defaultShared}
      Browsing ${yes cfg.browsing}
      WebInterface ${yes cfg.webInterface}
      LogLevel ${cfg.logLevel}
    ''
    + cfg.extraConf;
  # The programs of CUPS, with the backends that a maintainer script would choose among those available.
  programs =
    pkgs.runCommand "cups-programs"
      {
        inherit (config.system.debian) env;
      }
      ''
        mkdir -p $out/backend
        for directory in $env/usr/lib/cups/*; do
          name=''${directory##*/}
          case $name in
            backend | backend-available) for file in $directory/*; do ln -sf /usr/lib/cups/$name/''${file##*/} $out/backend/''${file##*/}; done ;;
            *) ln -s /usr/lib/cups/$name $out/$name ;;
          esac
        done
        ${lib.concatStrings (lib.mapAttrsToList (name: program: "ln -sf ${program} $out/backend/${name}\n") cfg.backends)}
      '';
  filesText = ''
    ServerBin ${programs}
    SystemGroup root wheel lpadmin
    User lp
    Group lp
    AccessLog syslog
    ErrorLog syslog
    PageLog syslog
    TempDir ${cfg.tempDir}
    ${cfg.extraFilesConf}
  '';
  jobs = "Send-Document Send-URI Hold-Job Release-Job Restart-Job Purge-Jobs Set-Job-Attributes Create-Job-Subscription Renew-Subscription Cancel-Subscription Get-Notifications Reprocess-Job Cancel-Current-Job Suspend-Current-Job Resume-Job CUPS-Move-Job";
  printers = "Pause-Printer Resume-Printer Set-Printer-Attributes Enable-Printer Disable-Printer Pause-Printer-After-Current-Job Hold-New-Jobs Release-Held-New-Jobs Deactivate-Printer Activate-Printer Restart-Printer Shutdown-Printer Startup-Printer Promote-Job Schedule-Job-After CUPS-Add-Modify-Printer CUPS-Delete-Printer CUPS-Add-Modify-Class CUPS-Delete-Class CUPS-Accept-Jobs CUPS-Reject-Jobs CUPS-Set-Default";
in
{
  options.services.printing = {
    enable = lib.mkEnableOption "printing by CUPS";
    package = forms.package "cups";
    drivers = mkOption {
      type = types.listOf types.package;
      default = [ ];
      example = lib.literalExpression "[ pkgs.printer-driver-brlaser ]";
      description = "Packages with drivers.";
    };
    backends = mkOption {
      type = types.attrsOf types.path;
      default = { };
      internal = true;
      description = "Programs in place of those that send jobs, by name.";
    };
    listenAddresses = mkOption {
      type = types.listOf types.str;
      default = [ "localhost:631" ];
      example = [ "*:631" ];
      description = "Addresses and ports on which it answers.";
    };
    allowFrom = mkOption {
      type = types.listOf types.str;
      default = [ "localhost" ];
      example = [ "all" ];
      apply = lib.concatMapStrings (from: "Allow ${from}\n");
      description = "Who may print.";
    };
    openFirewall = forms.bool false "Whether the firewall lets connections to its ports in.";
    startWhenNeeded = forms.bool true "Whether it is started when somebody prints.";
    stateless = forms.bool false "Whether all printers and jobs are forgotten at each start.";
    browsing = forms.bool false "Whether shared printers are announced.";
    defaultShared = forms.bool false "Whether new printers are shared.";
    webInterface = forms.bool true "Whether there are pages for the browser.";
    logLevel = mkOption {
      type = types.str;
      default = "info";
      example = "debug";
      description = "How much is logged.";
    };
    tempDir = forms.path "/tmp" "Directory of temporary files.";
    extraConf = forms.lines "Text added to cupsd.conf.";
    extraFilesConf = forms.lines "Text added to cups-files.conf.";
    clientConf = forms.lines "Text of client.conf.";
    snmpConf = forms.of types.lines "Address @LOCAL\n" "Text of snmp.conf: where printers are looked for.";
    browsed = {
      enable = mkOption {
        type = types.bool;
        default = config.services.avahi.enable;
        defaultText = lib.literalExpression "config.services.avahi.enable";
        description = "Whether printers that others announce are added.";
      };
      package = forms.package "cups-browsed";
    };
    browsedConf = mkOption {
      type = types.lines;
      default = "";
      example = "BrowsePoll cups.example.org";
      description = "Text of cups-browsed.conf.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.printing.extraConf = ''
      DefaultAuthType Basic
      <Location />
        Order allow,deny
        ${cfg.allowFrom}
      </Location>
      <Location /admin>
        Order allow,deny
        ${cfg.allowFrom}
      </Location>
      <Location /admin/conf>
        AuthType Basic
        Require user @SYSTEM
        Order allow,deny
        ${cfg.allowFrom}
      </Location>
      <Policy default>
        <Limit ${jobs}>
          Require user @OWNER @SYSTEM
          Order deny,allow
        </Limit>
        <Limit ${printers}>
          AuthType Basic
          Require user @SYSTEM
          Order deny,allow
        </Limit>
        <Limit Cancel-Job CUPS-Authenticate-Job>
          Require user @OWNER @SYSTEM
          Order deny,allow
        </Limit>
        <Limit All>
          Order deny,allow
        </Limit>
      </Policy>
    '';
    system.debian.packages = [ cfg.package.deb ] ++ lib.optional cfg.browsed.enable cfg.browsed.package.deb;
    environment.systemPackages = cfg.drivers;
    environment.etc = {
      "cups/cupsd.conf".text = daemonText;
      "cups/cups-files.conf".text = filesText;
      "cups/client.conf".text = cfg.clientConf;
      "cups/snmp.conf".text = cfg.snmpConf;
    }
    // lib.optionalAttrs cfg.browsed.enable { "cups/cups-browsed.conf".text = cfg.browsedConf; };
    users.groups.lpadmin = { };
    users.users.lp = {
      group = "lp";
      isSystemUser = true;
      home = "/var/spool/cups";
      description = "Printing";
    };
    boot.blacklistedKernelModules = [ "usblp" ];
    networking.firewall.allowedTCPPorts = lib.optionals cfg.openFirewall ports;
    systemd.sockets.cups = {
      wantedBy = lib.optional cfg.startWhenNeeded "sockets.target";
      listenStreams = [ "/run/cups/cups.sock" ] ++ map (address: lib.replaceStrings [ "localhost" ] [ "127.0.0.1" ] (lib.removePrefix "*:" address)) cfg.listenAddresses;
    };
    systemd.services.cups = {
      wantedBy = lib.optional (!cfg.startWhenNeeded) "multi-user.target";
      wants = [ "network.target" ];
      after = [ "network.target" ];
      restartTriggers = [ daemonText filesText cfg.snmpConf ];
      preStart = ''
        ${lib.optionalString cfg.stateless "rm -rf /var/cache/cups/* /var/spool/cups/* /etc/cups/printers.conf* /etc/cups/classes.conf* /etc/cups/ppd"}
        mkdir -p /etc/cups/ppd ${lib.escapeShellArg (toString cfg.tempDir)}
        mkdir -p -m 700 /etc/cups/ssl /var/cache/cups /var/spool/cups
        chgrp lp /var/cache/cups /var/spool/cups
        chmod 770 /var/cache/cups
        chmod 710 /var/spool/cups
      '';
    };
    systemd.services.cups-browsed = lib.mkIf cfg.browsed.enable {
      wantedBy = [ "multi-user.target" ];
      after = [ "avahi-daemon.service" ];
      restartTriggers = [ cfg.browsedConf ];
    };
  };
}
