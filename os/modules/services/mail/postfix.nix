# Postfix: takes mail, delivers it to users, and sends it on.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkDefault mkIf mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  services = import ./postfix-services.nix { inherit lib pkgs; };
  cfg = config.services.postfix;
  mapTypes = types.enum [ "hash" "regexp" "pcre" ];
  words = types.nullOr (types.either types.str (types.listOf types.str));

  value =
    content:
    if builtins.isList content then
      lib.concatStringsSep ", " (map toString content)
    else if builtins.isBool content then
      (if content then "yes" else "no")
    else
      toString content;
  mainText = lib.concatStrings (
    lib.mapAttrsToList (name: content: lib.optionalString (content != null) "${name} = ${value content}\n") cfg.settings.main
  );
  masterText = services.text cfg.settings.master;

  hasAliases = cfg.postmasterAlias != "" || cfg.rootAlias != "" || cfg.extraAliases != "";
  # A destination with a pipe or a colon is written in quotation marks by who needs it.
  aliases =
    lib.optionalString (cfg.postmasterAlias != "") "postmaster: ${cfg.postmasterAlias}\n"
    + lib.optionalString (cfg.rootAlias != "") "root: ${cfg.rootAlias}\n"
    + cfg.extraAliases;
  headerChecks =
    lib.concatMapStrings (check: "${check.pattern} ${check.action}\n") cfg.headerChecks + cfg.extraHeaderChecks;
  hasHeaderChecks = cfg.enableHeaderChecks || cfg.headerChecks != [ ] || cfg.extraHeaderChecks != "";

  # Tables by the names that they have in /etc/postfix.
  texts =
    lib.optionalAttrs (cfg.virtual != "") { virtual = cfg.virtual; }
    // lib.optionalAttrs (cfg.transport != "") { transport = cfg.transport; }
    // lib.optionalAttrs (cfg.canonical != "") { canonical = cfg.canonical; }
    // lib.optionalAttrs (cfg.dnsBlacklistOverrides != "") { client_access = cfg.dnsBlacklistOverrides; }
    // lib.optionalAttrs (cfg.localRecipients != null) {
      local_recipients = lib.concatMapStrings (name: "${name} ACCEPT\n") cfg.localRecipients;
    };
  maps = lib.mapAttrs (name: text: pkgs.writeText "postfix-${name}" text) texts // cfg.mapFiles;
  aliasFiles = lib.optionalAttrs hasAliases { aliases = pkgs.writeText "postfix-aliases" aliases; } // cfg.aliasFiles;
  # Tables that are no text when they are used.
  compiled =
    program: files: kinds:
    lib.concatMapStrings (name: "/usr/sbin/${program} ${lib.escapeShellArg "hash:/etc/postfix/${name}"}\n") (
      builtins.filter (name: (kinds.${name} or "hash") == "hash") (builtins.attrNames files)
    );
in
{
  imports =
    map
      (names: lib.mkRenamedOptionModule ([ "services" "postfix" ] ++ [ (builtins.head names) ]) ([ "services" "postfix" "settings" ] ++ builtins.tail names))
      [
        [ "hostname" "main" "myhostname" ]
        [ "domain" "main" "mydomain" ]
        [ "origin" "main" "myorigin" ]
        [ "destination" "main" "mydestination" ]
        [ "networks" "main" "mynetworks" ]
        [ "networksStyle" "main" "mynetworks_style" ]
        [ "relayDomains" "main" "relay_domains" ]
        [ "recipientDelimiter" "main" "recipient_delimiter" ]
        [ "tlsTrustedAuthorities" "main" "smtp_tls_CAfile" ]
        [ "config" "main" ]
        [ "masterConfig" "master" ]
      ]
    ++
      map (entry: lib.mkRemovedOptionModule [ "services" "postfix" entry.name ] "Set ${entry.instead}.")
        [
          { name = "relayHost"; instead = "services.postfix.settings.main.relayhost, a list of HOST:PORT"; }
          { name = "relayPort"; instead = "services.postfix.settings.main.relayhost, a list of HOST:PORT"; }
          { name = "lookupMX"; instead = "services.postfix.settings.main.relayhost: a host in brackets is not looked up"; }
          { name = "extraConfig"; instead = "services.postfix.settings.main"; }
          { name = "sslCert"; instead = "services.postfix.settings.main.smtpd_tls_chain_files"; }
          { name = "sslKey"; instead = "services.postfix.settings.main.smtpd_tls_chain_files"; }
          { name = "sslCACert"; instead = "services.postfix.settings.main.smtp_tls_CAfile"; }
        ];

  options.services.postfix = {
    enable = lib.mkEnableOption "Postfix, which takes mail, delivers it to users and sends it on";
    package = forms.package "postfix";
    enableSmtp = forms.bool true "Whether it listens at port 25.";
    enableSubmission = forms.bool false "Whether it takes mail of users at port 587.";
    enableSubmissions = forms.bool false "Whether it takes mail of users at port 465, by TLS from the start.";
    submissionOptions = forms.of (types.attrsOf types.str) {
      smtpd_tls_security_level = "encrypt";
      smtpd_sasl_auth_enable = "yes";
      smtpd_client_restrictions = "permit_sasl_authenticated,reject";
      milter_macro_daemon_name = "ORIGINATING";
    } "Settings of port 587.";
    submissionsOptions = forms.of (types.attrsOf types.str) {
      smtpd_sasl_auth_enable = "yes";
      smtpd_client_restrictions = "permit_sasl_authenticated,reject";
      milter_macro_daemon_name = "ORIGINATING";
    } "Settings of port 465.";
    setSendmail = forms.bool true "Whether `sendmail` is that of Postfix.";
    user = forms.str "postfix" "The account as which it runs.";
    group = forms.str "postfix" "The group as which it runs.";
    setgidGroup = forms.str "postdrop" "The group that may put mail into the queue.";
    postmasterAlias = forms.str "root" "Who gets mail to the postmaster; empty is nobody.";
    rootAlias = forms.str "" "Who gets mail to root.";
    extraAliases = forms.lines "Lines added to the aliases; see aliases(5).";
    aliasMapType = forms.of mapTypes "hash" "Kind of the table of aliases.";
    aliasFiles = forms.attrsOf types.path "Further tables of aliases by the name that they have in `/etc/postfix`.";
    mapFiles = forms.attrsOf types.path "Further tables by the name that they have in `/etc/postfix`.";
    virtual = forms.lines "Table of addresses and who gets their mail; see virtual(5).";
    virtualMapType = forms.of mapTypes "hash" "Kind of that table.";
    transport = forms.lines "Table of domains and how their mail travels; see transport(5).";
    canonical = forms.lines "Table of addresses that are written otherwise; see canonical(5).";
    localRecipients = forms.optional (types.listOf types.str) "Names that get mail here; null is accounts and aliases.";
    dnsBlacklists = forms.strings "Lists of the DNS whose entries are refused.";
    dnsBlacklistOverrides = forms.lines "Table of clients that those lists do not decide about; see access(5).";
    enableHeaderChecks = forms.bool false "Whether headers are checked.";
    headerChecks = forms.listOf (types.submodule {
      options = {
        pattern = forms.str "/^.*/" "The pattern, a regular expression.";
        action = forms.str "DUNNO" "What is done.";
      };
    }) "Checks of headers; see header_checks(5).";
    extraHeaderChecks = forms.lines "Lines added to the checks of headers.";
    extraMasterConf = forms.lines "Lines added to master.cf.";
    settings = {
      main = mkOption {
        default = { };
        example = {
          myhostname = "mail.example.org";
          relayhost = [ "[smtp.example.org]:587" ];
        };
        description = "Settings of main.cf; see postconf(5).";
        type = types.submodule {
          freeformType = types.attrsOf (types.nullOr (types.oneOf [ types.bool types.int types.path types.str (types.listOf types.str) ]));
          options = {
            message_size_limit = forms.of (types.nullOr types.int) 10240000 "Largest message.";
            mydestination = forms.of words [ "$myhostname" "localhost.$mydomain" "localhost" ] "Domains whose mail is delivered here.";
            myhostname = forms.optional types.str "Name of the machine in mail.";
            mynetworks = forms.optional (types.listOf types.str) "Networks whose clients may send.";
            mynetworks_style = forms.of (types.nullOr (types.enum [ "host" "subnet" "class" ])) "host" "Which networks are meant where none are given.";
            recipient_delimiter = forms.of (types.nullOr types.str) "" "What parts the name of a user from an extension.";
            relay_domains = forms.of (types.nullOr (types.listOf types.str)) [ ] "Domains whose mail is sent on.";
            relayhost = forms.of (types.nullOr (types.listOf types.str)) [ ] "Server that all mail to others is sent to.";
            smtp_tls_CAfile = forms.path "/etc/ssl/certs/ca-certificates.crt" "Authorities that are trusted.";
            smtp_tls_security_level = forms.of (types.enum [ "none" "may" "encrypt" "dane" "dane-only" "fingerprint" "verify" "secure" ]) (
              if cfg.settings.main.smtp_dns_support_level or "" == "dnssec" then "dane" else "may"
            ) "How mail is sent: in the clear or not.";
            smtpd_tls_chain_files = forms.listOf types.path "Key and certificates of the server.";
            smtpd_tls_security_level = forms.of (types.enum [ "none" "may" "encrypt" ]) (
              if cfg.settings.main.smtpd_tls_chain_files != [ ] then "may" else "none"
            ) "How mail is taken: in the clear or not.";
          };
        };
      };
      master = forms.of (types.attrsOf services.entryType) { } "Programs that are started for it; see master(5).";
    };
  };

  config = mkIf cfg.enable {
    services.postfix.settings = {
      main = lib.mapAttrs (_: mkDefault) (
        {
          compatibility_level = "3.7";
          mail_owner = cfg.user;
          default_privs = "nobody";
          data_directory = "/var/lib/postfix/data";
          queue_directory = "/var/lib/postfix/queue";
          mail_spool_directory = "/var/spool/mail/";
          setgid_group = cfg.setgidGroup;
        }
        // lib.optionalAttrs (!config.networking.enableIPv6) { inet_protocols = "ipv4"; }
        // {
          alias_maps = lib.optional hasAliases "${cfg.aliasMapType}:/etc/postfix/aliases";
          alias_database = if hasAliases then [ "${cfg.aliasMapType}:/etc/postfix/aliases" ] else [ ];
        }
        // lib.optionalAttrs (cfg.virtual != "") { virtual_alias_maps = [ "${cfg.virtualMapType}:/etc/postfix/virtual" ]; }
        // lib.optionalAttrs (cfg.transport != "") { transport_maps = [ "hash:/etc/postfix/transport" ]; }
        // lib.optionalAttrs (cfg.canonical != "") { canonical_maps = [ "hash:/etc/postfix/canonical" ]; }
        // lib.optionalAttrs (cfg.localRecipients != null) {
          local_recipient_maps = [ "hash:/etc/postfix/local_recipients" ] ++ lib.optional hasAliases "$alias_maps";
        }
        // lib.optionalAttrs (cfg.dnsBlacklists != [ ]) {
          smtpd_client_restrictions =
            lib.optional (cfg.dnsBlacklistOverrides != "") "check_client_access hash:/etc/postfix/client_access"
            ++ map (list: "reject_rbl_client ${list}") cfg.dnsBlacklists;
        }
        // lib.optionalAttrs hasHeaderChecks { header_checks = [ "regexp:/etc/postfix/header_checks" ]; }
      );
      master =
        lib.mapAttrs (_: lib.mapAttrs (_: mkDefault)) services.base
        // lib.optionalAttrs cfg.enableSmtp {
          smtp_inet = lib.mapAttrs (_: mkDefault) {
            name = "smtp";
            type = "inet";
            private = false;
            command = "smtpd";
          };
        }
        // lib.optionalAttrs cfg.enableSubmission {
          submission = {
            type = "inet";
            private = false;
            command = "smtpd";
            args = services.options cfg.submissionOptions;
          };
        }
        // lib.optionalAttrs cfg.enableSubmissions {
          submissions = {
            type = "inet";
            private = false;
            command = "smtpd";
            args = services.options ({ smtpd_tls_wrappermode = "yes"; } // cfg.submissionsOptions);
          };
        };
    };

    system.debian.packages = [
      cfg.package.deb
      "ca-certificates"
      # How passwords are told to other servers.
      "libsasl2-modules"
    ];
    environment.etc = {
      "postfix/main.cf".text = mainText;
      "postfix/master.cf".text = masterText + cfg.extraMasterConf;
      # The package's own unit starts several instances by it.
      "systemd/system-generators/postfix-instance-generator".source = "/dev/null";
    }
    // lib.optionalAttrs hasHeaderChecks { "postfix/header_checks".text = headerChecks; }
    // lib.mapAttrs' (name: file: lib.nameValuePair "postfix/${name}" { source = file; }) (maps // aliasFiles);

    users.users.${cfg.user} = mkIf (cfg.user == "postfix") {
      inherit (cfg) group;
      isSystemUser = true;
      description = "Postfix";
    };
    users.groups = {
      ${cfg.setgidGroup} = { };
    }
    // lib.optionalAttrs (cfg.group == "postfix") { postfix = { }; };
    security.wrappers =
      let
        inQueue = program: {
          source = program;
          owner = "root";
          group = cfg.setgidGroup;
          setgid = true;
        };
      in
      {
        mailq = inQueue "/usr/bin/mailq";
        postqueue = inQueue "/usr/sbin/postqueue";
        postdrop = inQueue "/usr/sbin/postdrop";
      }
      // lib.optionalAttrs cfg.setSendmail { sendmail = inQueue "/usr/sbin/sendmail"; };
    systemd.tmpfiles.rules = [
      "d /var/lib/postfix 0755 root root - -"
      "d /var/lib/postfix/data 0700 ${cfg.user} ${cfg.group} - -"
      "d /var/lib/postfix/queue 0755 root root - -"
      "d /var/spool/mail 1777 root root - -"
      "L /var/mail - - - - /var/spool/mail"
    ];
    systemd.services.postfix = {
      description = "Postfix";
      documentation = [ "man:postfix(1)" ];
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      restartTriggers = [ masterText mainText ] ++ lib.mapAttrsToList (_: toString) (maps // aliasFiles);
      preStart = ''
        rm -f /etc/postfix/*.db
        ${compiled "postmap" maps { virtual = cfg.virtualMapType; }}
        ${compiled "postalias" aliasFiles { aliases = cfg.aliasMapType; }}
        # Directories of the queue, and who they belong to.
        /usr/sbin/postfix post-install set-permissions create-missing >/dev/null 2>&1 || /usr/sbin/postfix check
      '';
      serviceConfig = {
        Type = "forking";
        Restart = "always";
        PIDFile = "/var/lib/postfix/queue/pid/master.pid";
        ExecStart = "/usr/sbin/postfix start";
        ExecStop = "/usr/sbin/postfix stop";
        ExecReload = "/usr/sbin/postfix reload";
        PrivateTmp = true;
        PrivateDevices = true;
        ProtectSystem = "full";
        ReadWritePaths = [ "/etc/postfix" ];
      };
    };
    networking.claimedPorts =
      map
        (port: {
          inherit port;
          by = "services.postfix";
        })
        (lib.optional cfg.enableSmtp 25 ++ lib.optional cfg.enableSubmission 587 ++ lib.optional cfg.enableSubmissions 465);
  };
}
