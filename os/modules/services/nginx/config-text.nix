# The text of nginx.conf from the options.
{ lib, config }:
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
  auth = entry: line (entry.basicAuthFile != null) "auth_basic secured;\nauth_basic_user_file ${fileText entry.basicAuthFile};";

  location =
    path: entry:
    block "location ${path}" (
      line (entry.proxyPass != null) "proxy_pass ${entry.proxyPass};"
      + line entry.proxyWebsockets "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection $connection_upgrade;"
      + line (entry.uwsgiPass != null) "uwsgi_pass ${toString entry.uwsgiPass};\ninclude /etc/nginx/uwsgi_params;"
      + fastcgi entry.fastcgiParams
      + given entry.index "index"
      + given entry.tryFiles "try_files"
      + given entry.root "root"
      + given entry.alias "alias"
      + given entry.return "return"
      + auth entry
      + entry.extraConfig
      + lib.optionalString (entry.proxyPass != null && entry.recommendedProxySettings) "\n${proxyHeaders}"
    );

  server =
    name: host:
    let
      serverName = if host.serverName != null then host.serverName else name;
      tls = host.addSSL || host.onlySSL || host.forceSSL;
      addresses = if host.listenAddresses != [ ] then host.listenAddresses else [ "0.0.0.0" ] ++ lib.optional config.networking.enableIPv6 "[::0]";
      listens =
        if host.listen != [ ] then
          host.listen
        else
          lib.concatMap (
            addr:
            lib.optional (!host.onlySSL) {
              inherit addr;
              port = cfg.defaultHTTPListenPort;
              ssl = false;
              proxyProtocol = false;
              extraParameters = [ ];
            }
            ++ lib.optional (tls || host.rejectSSL) {
              inherit addr;
              port = cfg.defaultSSLListenPort;
              ssl = true;
              proxyProtocol = false;
              extraParameters = [ ];
            }
          ) addresses;
      plain = builtins.filter (entry: !entry.ssl) listens;
      listen =
        entry:
        "listen ${entry.addr}${lib.optionalString (entry.port != null) ":${toString entry.port}"}${lib.optionalString entry.ssl " ssl"}${lib.optionalString (entry.ssl && host.http2) " http2"}${lib.optionalString host.default " default_server"}${lib.optionalString entry.proxyProtocol " proxy_protocol"}${
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
        lib.concatMapStrings listen plain + names + "location / {\n  return ${toString host.redirectCode} https://$host$request_uri;\n}\n"
      );
    in
    lib.optionalString (host.forceSSL && plain != [ ]) redirect
    + block "server" (
      lib.concatMapStrings listen (if host.forceSSL then builtins.filter (entry: entry.ssl) listens else listens)
      + names
      + given host.root "root"
      + line host.rejectSSL "ssl_reject_handshake on;"
      + lib.optionalString tls (
        "ssl_certificate ${fileText host.sslCertificate};\nssl_certificate_key ${fileText host.sslCertificateKey};\n"
        + given host.sslTrustedCertificate "ssl_trusted_certificate"
      )
      + auth host
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

  http =
    ''
      include /etc/nginx/mime.types;
      include /etc/nginx/fastcgi.conf;
      include /etc/nginx/uwsgi_params;
      default_type application/octet-stream;
      server_tokens ${if cfg.serverTokens then "on" else "off"};
      client_max_body_size ${cfg.clientMaxBodySize};
      access_log /var/log/nginx/access.log;
    ''
    + line (cfg.serverNamesHashBucketSize != null) "server_names_hash_bucket_size ${toString cfg.serverNamesHashBucketSize};"
    + lib.optionalString cfg.recommendedOptimisation ''
      sendfile on;
      tcp_nopush on;
      tcp_nodelay on;
      keepalive_timeout 65;
    ''
    + ''
      types_hash_max_size 4096;
    ''
    + "ssl_protocols ${cfg.sslProtocols};\n"
    + line (cfg.sslCiphers != null) "ssl_ciphers ${toString cfg.sslCiphers};"
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
      gzip_types application/atom+xml application/javascript application/json application/xml application/xml+rss image/svg+xml text/css text/javascript text/plain text/xml;
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
    + lib.concatStrings (lib.mapAttrsToList upstream cfg.upstreams)
    + lib.optionalString cfg.statusPage (
      block "server" ''
        listen 127.0.0.1:${toString cfg.defaultHTTPListenPort};
        server_name localhost;
        location /nginx_status {
          stub_status on;
          access_log off;
          allow 127.0.0.1;
          deny all;
        }
      ''
    )
    + lib.concatStrings (lib.mapAttrsToList server cfg.virtualHosts)
    + cfg.appendHttpConfig;
in
''
  # Made by the system's configuration; changes are lost.
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
