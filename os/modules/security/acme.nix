# Certificates that an authority signs by the protocol ACME, got and renewed by lego.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.security.acme;

  # The options of `defaults` and of each certificate; the latter take their default from the former.
  shared =
    inherited:
    let
      of =
        name: type: default: description:
        mkOption {
          inherit type description;
          default = if inherited == null then default else inherited.${name} or default;
          defaultText = if inherited == null then lib.literalExpression (lib.generators.toPretty { } default) else lib.literalExpression "config.security.acme.defaults.${name}";
        };
      lines = name: of name types.lines "";
      words = name: of name (types.listOf types.str) [ ];
    in
    {
      validMinDays = of "validMinDays" types.int 30 "How many days a certificate must hold; one that holds fewer is renewed.";
      renewInterval = of "renewInterval" types.str "daily" "How often that is looked at, as in systemd.time(7).";
      renewJitter = of "renewJitter" types.str "24h" "Time of which a random part is waited before.";
      enableDebugLogs = of "enableDebugLogs" types.bool true "Whether lego tells what it asks of whom.";
      webroot = of "webroot" (types.nullOr types.str) null "Directory that a web server shows, for proofs over HTTP.";
      listenHTTP = of "listenHTTP" (types.nullOr types.str) null "Address and port on which lego itself answers, for proofs over HTTP.";
      server = of "server" (types.nullOr types.str) "https://acme-v02.api.letsencrypt.org/directory" "Address of the authority.";
      email = of "email" (types.nullOr types.str) null "Address of the owner, for the authority.";
      group = of "group" types.str "acme" "Group that may read certificate and key.";
      reloadServices = words "reloadServices" "Services that are reloaded, or restarted, when there is a new certificate.";
      postRun = lines "postRun" "Shell text run as root, in the directory of the certificate, when there is a new one.";
      keyType = of "keyType" types.str "ec256" "Kind of the key: ec256, ec384, rsa2048, rsa4096 or rsa8192.";
      dnsProvider = of "dnsProvider" (types.nullOr types.str) null "Provider of names, for proofs by DNS; see lego's list.";
      dnsResolver = of "dnsResolver" (types.nullOr types.str) null "Server of names that is asked whether a proof is there.";
      environmentFile = of "environmentFile" (types.nullOr types.path) null "File with variables, such as what the provider asks for.";
      credentialFiles = of "credentialFiles" (types.attrsOf types.path) { } "Files with secrets, by variables ending in `_FILE` that name them.";
      dnsPropagationCheck = of "dnsPropagationCheck" types.bool true "Whether lego waits until the proof is seen.";
      ocspMustStaple = of "ocspMustStaple" types.bool false "Whether the certificate says that its state has to be sent along.";
      extraLegoFlags = words "extraLegoFlags" "Further arguments of lego.";
      extraLegoRunFlags = words "extraLegoRunFlags" "Further arguments of `lego run`.";
      extraLegoRenewFlags = words "extraLegoRenewFlags" "Further arguments of `lego renew`.";
    };

  certificate = types.submodule (
    { name, config, ... }:
    {
      imports = [ (lib.mkRenamedOptionModule [ "credentialsFile" ] [ "environmentFile" ]) ];
      options = shared (if config.inheritDefaults then cfg.defaults else null) // {
        inheritDefaults = forms.bool true "Whether what is not set is taken from {option}`security.acme.defaults`.";
        directory = mkOption {
          type = types.str;
          readOnly = true;
          default = "/var/lib/acme/${name}";
          defaultText = "/var/lib/acme/ and the name";
          description = "Directory of `cert.pem`, `chain.pem`, `fullchain.pem`, `key.pem` and `full.pem`.";
        };
        domain = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "The host that it is for.";
        };
        extraDomainNames = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "www.example.org" ];
          description = "Further hosts that it is for.";
        };
        csr = forms.optional types.str "File of a request that is signed as it is.";
        csrKey = forms.optional types.str "File of the key of that request.";
      };
    }
  );

  user = if cfg.useRoot then "root" else "acme";
  names = entry: [ entry.domain ] ++ entry.extraDomainNames;
  # What a certificate is for and who signs it: another one is made when this changes.
  order = entry: builtins.substring 0 20 (builtins.hashString "sha256" (builtins.toJSON [ (names entry) entry.server entry.keyType entry.csr entry.ocspMustStaple ]));
  safe = lib.replaceStrings [ "*" ] [ "_" ];

  scriptOf =
    name: entry:
    let
      state = "/var/lib/acme/.lego/${safe name}/${order entry}";
      shared = lib.escapeShellArgs (
        [ "--accept-tos" "--path" state ]
        ++ (if entry.csr != null then [ "--csr" entry.csr ] else lib.concatMap (domain: [ "-d" domain ]) (names entry) ++ [ "--key-type" entry.keyType ])
        ++ lib.optionals (entry.email != null) [ "--email" entry.email ]
        ++ lib.optionals (entry.server != null) [ "--server" entry.server ]
        ++ (
          if entry.dnsProvider != null then
            [ "--dns" entry.dnsProvider ]
            ++ lib.optional (!entry.dnsPropagationCheck) "--dns.disable-cp"
            ++ lib.optionals (entry.dnsResolver != null) [ "--dns.resolvers" entry.dnsResolver ]
          else if entry.listenHTTP != null then
            [ "--http" "--http.port" entry.listenHTTP ]
          else
            [ "--http" "--http.webroot" entry.webroot ]
        )
        ++ entry.extraLegoFlags
      );
      must = lib.optionalString entry.ocspMustStaple " --must-staple";
      run = "lego ${shared} run${must} ${lib.escapeShellArgs entry.extraLegoRunFlags}";
      renew = "lego ${shared} renew --days ${toString entry.validMinDays}${must} ${lib.escapeShellArgs entry.extraLegoRenewFlags}";
      file = "${state}/certificates/${safe entry.domain}";
    in
    ''
      umask 027
      mkdir -p ${state}
      ${lib.optionalString (cfg.maxConcurrentRenewals > 0) ''
        # As many at a time as may be, each with a lock.
        mkdir -p /var/lib/acme/.lego/locks
        for try in $(seq 600); do
          for number in $(seq ${toString cfg.maxConcurrentRenewals}); do
            exec 9>/var/lib/acme/.lego/locks/$number
            if flock -n 9; then break 2; fi
          done
          sleep 1
        done
      ''}
      ${lib.optionalString (entry.webroot != null) "mkdir -p ${lib.escapeShellArg entry.webroot}/.well-known/acme-challenge"}
      if [ -e ${file}.crt ]; then
        ${renew}
      else
        ${run}
      fi
      cd ${entry.directory}
      if ! cmp -s ${file}.crt fullchain.pem; then
        touch renewed
        cp ${file}.crt fullchain.pem
        ${if entry.csr == null then "cp ${file}.key key.pem" else lib.optionalString (entry.csrKey != null) "cp ${lib.escapeShellArg entry.csrKey} key.pem"}
        cp ${file}.issuer.crt chain.pem
        openssl x509 -in fullchain.pem -out cert.pem
        cat key.pem fullchain.pem >full.pem
        rm -f self-signed
        chmod 640 ./*.pem
      fi
    '';
  # Run as root when there is a new certificate.
  afterwards =
    name: entry:
    pkgs.writeShellScript "acme-after-${safe name}" ''
      set -e
      cd ${entry.directory}
      chown -R ${user}:${entry.group} .
      if [ ! -e renewed ]; then exit 0; fi
      rm renewed
      ${lib.optionalString (entry.reloadServices != [ ]) "systemctl --no-block try-reload-or-restart ${lib.escapeShellArgs entry.reloadServices}"}
      ${entry.postRun}
    '';
  service =
    name: entry:
    {
      description = "Certificate ${name}: order and renewal";
      documentation = [ "https://go-acme.github.io/lego/" ];
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" "acme-${name}.service" ];
      after = [ "network.target" "network-online.target" "nss-lookup.target" "acme-${name}.service" ];
      environment = lib.mapAttrs (variable: _: "%d/${variable}") entry.credentialFiles;
      script = scriptOf name entry;
      serviceConfig = {
        Type = "oneshot";
        User = user;
        Group = entry.group;
        StateDirectory = "acme";
        StateDirectoryMode = "0755";
        ExecStartPost = "+${afterwards name entry}";
        EnvironmentFile = lib.mkIf (entry.environmentFile != null) (toString entry.environmentFile);
        LoadCredential = lib.mapAttrsToList (variable: file: "${variable}:${file}") entry.credentialFiles;
        StandardOutput = lib.mkIf (!entry.enableDebugLogs) "null";
        AmbientCapabilities = lib.mkIf (entry.listenHTTP != null) "CAP_NET_BIND_SERVICE";
        NoNewPrivileges = true;
        ProtectSystem = true;
        PrivateTmp = true;
      };
    };
  # Until there is one of the authority's, a certificate of the machine's own: web servers want a file.
  baseline = name: entry: {
    description = "Certificate ${name}";
    wantedBy = [ "multi-user.target" ];
    script = ''
      umask 027
      mkdir -p ${entry.directory}
      cd ${entry.directory}
      if [ ! -s fullchain.pem ]; then
        openssl req -x509 -newkey rsa:2048 -nodes -days 90 -keyout key.pem -out fullchain.pem \
          -subj ${lib.escapeShellArg "/CN=${entry.domain}"} \
          -addext ${lib.escapeShellArg "subjectAltName=${lib.concatMapStringsSep "," (domain: "DNS:${domain}") (names entry)}"} 2>/dev/null
        cp fullchain.pem cert.pem
        cp fullchain.pem chain.pem
        cat key.pem fullchain.pem >full.pem
        touch self-signed
      fi
      chown -R ${user}:${entry.group} .
      chmod 750 .
      chmod 640 ./*.pem
      mkdir -p /var/lib/acme/.lego
      chown ${user} /var/lib/acme/.lego
    '';
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      StateDirectory = "acme";
      StateDirectoryMode = "0755";
    };
  };
in
{
  options.security.acme = {
    acceptTerms = forms.bool false "Has to be on: that you accept the terms of the authority.";
    useRoot = forms.bool false "Whether certificates are got as root and not as the account acme.";
    maxConcurrentRenewals = forms.int 5 "How many certificates are got at the same time; 0 is any number.";
    defaults = mkOption {
      type = types.submodule { options = shared null; };
      default = { };
      description = "What certificates do not set themselves.";
    };
    certs = mkOption {
      type = types.attrsOf certificate;
      default = { };
      example = lib.literalExpression ''{ "example.org" = { webroot = "/var/lib/acme/acme-challenge"; extraDomainNames = [ "www.example.org" ]; }; }'';
      description = "Certificates by name.";
    };
  };

  config = lib.mkIf (cfg.certs != { }) {
    system.debian.packages = [ "ca-certificates" "lego" "openssl" ];
    users.users.acme = {
      group = "acme";
      isSystemUser = true;
      home = "/var/lib/acme";
      description = "Certificates";
    };
    users.groups.acme = { };
    systemd.tmpfiles.rules = lib.unique (
      lib.concatMap (
        entry:
        lib.optionals (entry.webroot != null) [
          "d ${entry.webroot} 0755 ${user} ${entry.group} - -"
          "d ${entry.webroot}/.well-known 0755 ${user} ${entry.group} - -"
          "d ${entry.webroot}/.well-known/acme-challenge 0755 ${user} ${entry.group} - -"
        ]
      ) (builtins.attrValues cfg.certs)
    );
    systemd.services =
      lib.mapAttrs' (name: entry: lib.nameValuePair "acme-${name}" (baseline name entry)) cfg.certs
      // lib.mapAttrs' (name: entry: lib.nameValuePair "acme-order-renew-${name}" (service name entry)) cfg.certs;
    systemd.timers = lib.mapAttrs' (
      name: entry:
      lib.nameValuePair "acme-renew-${name}" {
        description = "Renewal of the certificate ${name}";
        wantedBy = [ "timers.target" ];
        timerConfig = {
          OnCalendar = entry.renewInterval;
          RandomizedDelaySec = entry.renewJitter;
          Persistent = true;
          Unit = "acme-order-renew-${name}.service";
        };
      }
    ) cfg.certs;
    assertions = [
      {
        assertion = cfg.acceptTerms;
        message = "security.acme.acceptTerms: the terms of the authority must be accepted";
      }
    ]
    ++ lib.concatLists (
      lib.mapAttrsToList (name: entry: [
        {
          assertion = lib.count (value: value != null) [ entry.dnsProvider entry.listenHTTP entry.webroot ] == 1;
          message = "security.acme.certs.\"${name}\": exactly one of 'dnsProvider', 'listenHTTP' and 'webroot' must be set";
        }
        {
          assertion = entry.email != null;
          message = "security.acme.certs.\"${name}\".email or 'security.acme.defaults.email' must be set";
        }
        {
          assertion = builtins.all (lib.hasSuffix "_FILE") (builtins.attrNames entry.credentialFiles);
          message = "security.acme.certs.\"${name}\".credentialFiles: names of variables end in '_FILE'";
        }
      ]) cfg.certs
    );
  };
}
