# The text of nginx.conf from the options.
{ lib, config, pkgs }:
let
  cfg = config.services.nginx;
  line = condition: text: lib.optionalString condition "${text}\n";
  # A path of the configuration is copied by itself, so that nothing else of the source matters to the system.
  fileText = value: if builtins.isPath value then "${value}" else toString value;
  given = value: name: line (value != null) "${name} ${fileText value};";
  indent = text: lib.concatMapStrings (part: if part == "" then "\n" else "  ${part}\n") (lib.splitString "\n" (lib.removeSuffix "\n" text));
  block = head: body: "${head} {\n${indent body}}\n";

  proxyHeaders = ''
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $host;
    proxy_set_header X-Forwarded-Server $hostname;
  '';
  # What nginx's own fastcgi.conf passes: parameters of a location replace all of those around it.
  fastcgiParams = {
    CONTENT_LENGTH = "$content_length";
    CONTENT_TYPE = "$content_type";
    DOCUMENT_ROOT = "$document_root";
    DOCUMENT_URI = "$document_uri";
    GATEWAY_INTERFACE = "CGI/1.1";
    QUERY_STRING = "$query_string";
    REDIRECT_STATUS = "200";
    REMOTE_ADDR = "$remote_addr";
    REMOTE_PORT = "$remote_port";
    REQUEST_METHOD = "$request_method";
    REQUEST_SCHEME = "$scheme";
    REQUEST_URI = "$request_uri";
    SCRIPT_FILENAME = "$document_root$fastcgi_script_name";
    SCRIPT_NAME = "$fastcgi_script_name";
    SERVER_ADDR = "$server_addr";
    SERVER_NAME = "$server_name";
    SERVER_PORT = "$server_port";
    SERVER_PROTOCOL = "$server_protocol";
    SERVER_SOFTWARE = "nginx/$nginx_version";
  };
  fastcgi =
    given:
    lib.optionalString (given != { }) (
      lib.concatStrings (
        lib.mapAttrsToList (name: value: "fastcgi_param ${name} \"${value}\";\n") (fastcgiParams // given)
      )
      + lib.optionalString (!(given ? HTTPS)) "fastcgi_param HTTPS $https if_not_empty;\n"
    );
  # What is in the configuration already, in the form of htpasswd that has passwords as they are.
  users = name: entries: pkgs.writeText "${name}.htpasswd" (lib.concatStrings (lib.mapAttrsToList (user: password: "${user}:{PLAIN}${password}\n") entries));
  auth =
    name: entry:
    line (entry.basicAuthFile != null || entry.basicAuth != { }) "auth_basic secured;\nauth_basic_user_file ${
      if entry.basicAuthFile != null then fileText entry.basicAuthFile else users (lib.strings.sanitizeDerivationName name) entry.basicAuth
    };";
  # A name in a variable is resolved when it is needed, not at the start.
  pass =
    directive: whileRunning: target:
    line (target != null) (if whileRunning then "set $nix_proxy_target \"${toString target}\";\n${directive} $nix_proxy_target;" else "${directive} ${toString target};");
  compressed = "application/atom+xml application/javascript application/json application/xml application/xml+rss image/svg+xml text/css text/javascript text/plain text/xml";

  location =
    path: entry:
    block "location ${path}" (
      pass "proxy_pass" cfg.proxyResolveWhileRunning entry.proxyPass
      + line entry.proxyWebsockets "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection $connection_upgrade;"
      + pass "uwsgi_pass" cfg.uwsgiResolveWhileRunning entry.uwsgiPass
      + line (entry.uwsgiPass != null && entry.recommendedUwsgiSettings) "include /etc/nginx/uwsgi_params;"
      + fastcgi entry.fastcgiParams
      + given entry.index "index"
      + given entry.tryFiles "try_files"
      + given entry.root "root"
      + given entry.alias "alias"
      + given entry.return "return"
      + auth "sublocation" entry
      + entry.extraConfig
      + lib.optionalString (entry.proxyPass != null && entry.recommendedProxySettings) "\n${proxyHeaders}"
    );

  server =
    name: host:
    let
      serverName = if host.serverName != null then host.serverName else name;
      tls = host.addSSL || host.onlySSL || host.forceSSL;
      addresses =
        if host.listenAddresses == [ ] && cfg.defaultListen != [ ] then
          cfg.defaultListen
        else
          map (addr: {
            inherit addr;
            port = null;
            ssl = null;
            proxyProtocol = false;
            extraParameters = [ ];
          }) (if host.listenAddresses != [ ] then host.listenAddresses else cfg.defaultListenAddresses);
      listens =
        if host.listen != [ ] then
          host.listen
        else
          lib.concatMap (
            entry:
            let
              as =
                ssl: port:
                entry
                // {
                  inherit ssl;
                  port = if entry.port != null || lib.hasPrefix "unix:" entry.addr then entry.port else port;
                };
            in
            lib.optional (!host.onlySSL && entry.ssl != true) (as false cfg.defaultHTTPListenPort)
            ++ lib.optional ((tls || host.rejectSSL) && entry.ssl != false) (as true cfg.defaultSSLListenPort)
          ) addresses;
      # The certificate that an authority has signed, and where it looks for the proof.
      acmeName = if host.useACMEHost != null then host.useACMEHost else serverName;
      acme = host.enableACME || host.useACMEHost != null;
      certificate = if acme then config.security.acme.certs.${acmeName} else null;
      given' = value: default: if value != null then fileText value else default;
      proof = lib.optionalString (acme && certificate.dnsProvider == null) (
        block "location ^~ /.well-known/acme-challenge/" (
          line (host.acmeFallbackHost != null) "try_files $uri @acme-fallback;"
          + line (host.acmeRoot != null) "root ${toString host.acmeRoot};"
          + "auth_basic off;\nauth_request off;\n"
        )
        + lib.optionalString (host.acmeFallbackHost != null) (
          block "location @acme-fallback" "auth_basic off;\nauth_request off;\nproxy_pass http://${host.acmeFallbackHost};\nproxy_set_header Host $host;\n"
        )
      );
      plain = builtins.filter (entry: !entry.ssl) listens;
      listen =
        entry:
        "listen ${entry.addr}${lib.optionalString (entry.port != null) ":${toString entry.port}"}${lib.optionalString entry.ssl " ssl"}${lib.optionalString (entry.ssl && host.http2) " http2"}${lib.optionalString host.default " default_server"}${lib.optionalString host.reuseport " reuseport"}${lib.optionalString entry.proxyProtocol " proxy_protocol"}${
          lib.concatMapStrings (parameter: " ${parameter}") entry.extraParameters
        };\n";
      names = "server_name ${lib.concatStringsSep " " ([ serverName ] ++ host.serverAliases)};\n";
      ordered = lib.sort (a: b: if a.priority == b.priority then a.name < b.name else a.priority < b.priority) (
        lib.mapAttrsToList (path: entry: {
          name = path;
          inherit entry;
          inherit (entry) priority;
        }) host.locations
      );
      redirect = block "server" (
        lib.concatMapStrings listen plain + names + proof + "location / {\n  return ${toString host.redirectCode} https://$host$request_uri;\n}\n"
      );
    in
    lib.optionalString (host.forceSSL && plain != [ ]) redirect
    + block "server" (
      lib.concatMapStrings listen (if host.forceSSL then builtins.filter (entry: entry.ssl) listens else listens)
      + names
      + given host.root "root"
      + line host.rejectSSL "ssl_reject_handshake on;"
      + lib.optionalString tls (
        "ssl_certificate ${given' host.sslCertificate "${certificate.directory}/fullchain.pem"};\nssl_certificate_key ${
          given' host.sslCertificateKey "${certificate.directory}/key.pem"
        };\n"
        + (
          if host.sslTrustedCertificate != null then
            given host.sslTrustedCertificate "ssl_trusted_certificate"
          else
            line acme "ssl_trusted_certificate ${certificate.directory}/chain.pem;"
        )
        + line host.kTLS "ssl_conf_command Options KTLS;"
      )
      + proof
      + auth name host
      + lib.optionalString (host.globalRedirect != null) "location / {\n  return ${toString host.redirectCode} http${lib.optionalString tls "s"}://${host.globalRedirect}$request_uri;\n}\n"
      + lib.concatMapStrings (entry: location entry.name entry.entry) ordered
      + host.extraConfig
    );

  upstream =
    name: entry:
    block "upstream ${name}" (
      lib.concatStrings (
        lib.mapAttrsToList (
          address: options:
          "server ${address}${
            lib.concatStrings (
              lib.mapAttrsToList (
                option: value: if value == true then " ${option}" else lib.optionalString (value != false && value != null) " ${option}=${toString value}"
              ) options
            )
          };\n"
        ) entry.servers
      )
      + entry.extraConfig
    );

  resolver = cfg.resolver;
  http =
    ''
      include ${fileText cfg.defaultMimeTypes};
      include /etc/nginx/fastcgi.conf;
      include /etc/nginx/uwsgi_params;
      default_type application/octet-stream;
      server_tokens ${if cfg.serverTokens then "on" else "off"};
      client_max_body_size ${cfg.clientMaxBodySize};
      access_log /var/log/nginx/access.log;
    ''
    + line (resolver.addresses != [ ]) "resolver ${lib.concatStringsSep " " resolver.addresses}${
      lib.optionalString (resolver.valid != "") " valid=${resolver.valid}"
    }${lib.optionalString (!resolver.ipv4) " ipv4=off"}${lib.optionalString (!resolver.ipv6) " ipv6=off"};"
    + given cfg.mapHashBucketSize "map_hash_bucket_size"
    + given cfg.mapHashMaxSize "map_hash_max_size"
    + given cfg.serverNamesHashMaxSize "server_names_hash_max_size"
    + line (cfg.serverNamesHashBucketSize != null) "server_names_hash_bucket_size ${toString cfg.serverNamesHashBucketSize};"
    + lib.optionalString cfg.recommendedOptimisation ''
      sendfile on;
      tcp_nopush on;
      tcp_nodelay on;
      keepalive_timeout 65;
    ''
    + ''
      types_hash_max_size ${toString cfg.typesHashMaxSize};
    ''
    + "ssl_protocols ${cfg.sslProtocols};\n"
    + line (cfg.sslCiphers != null) "ssl_ciphers ${if builtins.isList cfg.sslCiphers then lib.concatStringsSep ":" cfg.sslCiphers else toString cfg.sslCiphers};"
    + lib.optionalString cfg.recommendedTlsSettings ''
      ssl_session_timeout 1d;
      ssl_session_cache shared:SSL:10m;
      ssl_session_tickets off;
      ssl_prefer_server_ciphers off;
    ''
    + lib.optionalString cfg.recommendedGzipSettings ''
      gzip on;
      gzip_static on;
      gzip_vary on;
      gzip_comp_level 5;
      gzip_min_length 256;
      gzip_proxied expired no-cache no-store private auth;
      gzip_types ${compressed};
    ''
    + lib.optionalString cfg.recommendedBrotliSettings ''
      brotli on;
      brotli_static on;
      brotli_comp_level 5;
      brotli_window 512k;
      brotli_min_length 256;
      brotli_types ${compressed};
    ''
    + lib.optionalString cfg.recommendedUwsgiSettings ''
      uwsgi_connect_timeout ${cfg.uwsgiTimeout};
      uwsgi_send_timeout ${cfg.uwsgiTimeout};
      uwsgi_read_timeout ${cfg.uwsgiTimeout};
      uwsgi_param HTTP_CONNECTION "";
    ''
    + lib.optionalString cfg.recommendedProxySettings ''
      proxy_redirect off;
      proxy_connect_timeout ${cfg.proxyTimeout};
      proxy_send_timeout ${cfg.proxyTimeout};
      proxy_read_timeout ${cfg.proxyTimeout};
      proxy_http_version 1.1;
      # The connection to the upstream is ours to keep.
      proxy_set_header "Connection" "";
      ${proxyHeaders}''
    + ''
      map $http_upgrade $connection_upgrade {
        default upgrade;
        "" close;
      }
    ''
    + line (cfg.commonHttpConfig != "") cfg.commonHttpConfig
    + lib.concatStrings (
      lib.mapAttrsToList (
        name: entry:
        line entry.enable "proxy_cache_path /var/cache/nginx/${name} levels=${entry.levels} keys_zone=${entry.keysZoneName}:${entry.keysZoneSize} inactive=${entry.inactive} max_size=${entry.maxSize} use_temp_path=${if entry.useTempPath then "on" else "off"};"
      ) cfg.proxyCachePath
    )
    + lib.concatStrings (lib.mapAttrsToList upstream cfg.upstreams)
    + lib.concatStrings (lib.mapAttrsToList server cfg.virtualHosts)
    + cfg.appendHttpConfig;
  modules =
    lib.optional (cfg.streamConfig != "") "ngx_stream"
    ++ lib.optionals cfg.recommendedBrotliSettings [ "ngx_http_brotli_filter" "ngx_http_brotli_static" ];
in
"# Made by the system's configuration; changes are lost.\n"
+ lib.concatMapStrings (name: "load_module modules/${name}_module.so;\n") modules
# Modules of further packages are named by files of theirs.
+ lib.concatMapStrings (package: "include /usr/share/nginx/modules-available/${lib.removePrefix "lib" (lib.replaceStrings [ "nginx-mod" ] [ "mod" ] package.deb)}.conf;\n") cfg.additionalModules
+ cfg.prependConfig
+ ''
  pid /run/nginx/nginx.pid;
  error_log ${cfg.logError};
  daemon off;
  ${cfg.config}
''
+ block "events" cfg.eventsConfig
+ lib.optionalString (cfg.httpConfig == "") (block "http" http)
+ lib.optionalString (cfg.httpConfig != "") (block "http" cfg.httpConfig)
+ lib.optionalString (cfg.streamConfig != "") (block "stream" cfg.streamConfig)
+ cfg.appendConfig
