# Settings of Grafana that have a type, by section of its configuration file: the type, what holds without a definition, and what it is.
{ lib, forms, dataDir, staticRoot, plugins, provisioning, declaresPlugins }:
let
  inherit (lib) mkOption types;
  inherit (forms) bool int str optional;
  either = types.either types.str (types.listOf types.str);
  choice = default: values: forms.of (types.enum values) default;
in
{
  paths = {
    plugins = mkOption {
      type = types.path;
      default = plugins;
      defaultText = "those of declarativePlugins, else a directory of the data";
      description = "Directory of plugins.";
    };
    provisioning = mkOption {
      type = types.path;
      default = provisioning;
      defaultText = lib.literalExpression "what config.services.grafana.provision declares";
      description = "Directory of what is declared to Grafana.";
    };
  };
  server = {
    protocol = choice "http" [ "http" "https" "h2" "socket" ] "The protocol that is spoken.";
    http_addr = str "127.0.0.1" "Address it listens on; empty is all.";
    http_port = forms.port 3000 "Port it listens on.";
    domain = str "localhost" "Name by which browsers reach it.";
    enforce_domain = bool false "Whether other names are redirected.";
    root_url = str "%(protocol)s://%(domain)s:%(http_port)s/" "Address by which browsers reach it.";
    serve_from_sub_path = bool false "Whether it answers below the path of {option}`root_url`.";
    router_logging = bool false "Whether all requests are logged.";
    static_root_path = str staticRoot "Directory of the pages.";
    enable_gzip = bool false "Whether answers are compressed.";
    cert_file = optional types.str "File of the certificate.";
    cert_key = optional types.str "File of the certificate's key.";
    socket_gid = int (-1) "Group of the socket; -1 is that of the server.";
    socket_mode = str "0660" "Mode of the socket.";
    socket = str "/run/grafana/grafana.sock" "The socket, with the protocol `socket`.";
    cdn_url = optional types.str "Where browsers get the pages' files.";
    read_timeout = str "0" "How long reading a request may take; 0 is without end.";
  };
  database = {
    type = choice "sqlite3" [ "mysql" "sqlite3" "postgres" ] "Kind of the database.";
    host = str "127.0.0.1:3306" "Address, or path of the socket.";
    name = str "grafana" "Name of the database.";
    user = str "root" "The database's user.";
    password = str "" "Password of the user. All can read it; `$__file{PATH}` takes it from a file.";
    max_idle_conn = int 2 "How many connections wait.";
    max_open_conn = int 0 "How many connections there are; 0 is without end.";
    conn_max_lifetime = int 14400 "Seconds after which a connection is not used again.";
    locking_attempt_timeout_sec = int 0 "Seconds that a locked database is waited for.";
    log_queries = bool false "Whether queries are logged.";
    ssl_mode = choice "disable" [ "disable" "require" "verify-full" "true" "false" "skip-verify" ] "Whether TLS is used.";
    isolation_level = optional (types.enum [ "READ-UNCOMMITTED" "READ-COMMITTED" "REPEATABLE-READ" "SERIALIZABLE" ]) "Isolation of transactions.";
    ca_cert_path = optional types.str "File of the authority's certificate.";
    client_key_path = optional types.str "File of the key with which it shows who it is.";
    client_cert_path = optional types.str "File of the certificate with which it shows who it is.";
    server_cert_name = optional types.str "Name in the server's certificate.";
    path = mkOption {
      type = types.path;
      default = "${dataDir}/data/grafana.db";
      defaultText = lib.literalExpression ''"''${config.services.grafana.dataDir}/data/grafana.db"'';
      description = "File of the database, for sqlite3.";
    };
    cache_mode = choice "private" [ "private" "shared" ] "Cache of sqlite3.";
    wal = bool false "Whether sqlite3 writes ahead.";
    query_retries = int 0 "How often a query is tried again.";
    transaction_retries = int 5 "How often a transaction is tried again.";
  };
  security = {
    disable_initial_admin_creation = bool false "Whether no administrator is made at the first start.";
    admin_user = str "admin" "Name of the administrator.";
    admin_password = str "admin" "Password of the administrator at the first start. All can read it; `$__file{PATH}` takes it from a file.";
    admin_email = str "admin@localhost" "Address of the administrator.";
    secret_key = optional types.str "Key that secrets in the database are encrypted with; `$__file{PATH}` takes it from a file. Null makes one at the first start, in the directory of the data.";
    disable_gravatar = bool false "Whether no pictures are taken from Gravatar.";
    data_source_proxy_whitelist = forms.of either [ ] "Addresses that sources of data may have.";
    disable_brute_force_login_protection = bool false "Whether passwords may be tried without end.";
    cookie_secure = bool false "Whether cookies go over HTTPS only.";
    cookie_samesite = choice "lax" [ "lax" "strict" "none" "disabled" ] "Whom browsers send cookies to.";
    allow_embedding = bool false "Whether other pages may show it in a frame.";
    strict_transport_security = bool false "Whether browsers shall use HTTPS only.";
    strict_transport_security_max_age_seconds = int 86400 "Seconds that browsers remember it.";
    strict_transport_security_preload = bool false "Whether it may be in lists of browsers.";
    strict_transport_security_subdomains = bool false "Whether it holds for names below.";
    x_content_type_options = bool true "Whether browsers must not guess types.";
    x_xss_protection = bool false "Whether browsers look for injected scripts.";
    content_security_policy = bool false "Whether answers say what pages may load.";
    content_security_policy_report_only = bool false "Whether what pages load is reported only.";
    csrf_trusted_origins = forms.of either [ ] "Further origins whose requests are trusted.";
    csrf_additional_headers = forms.of either [ ] "Further headers that are compared.";
  };
  smtp = {
    enabled = bool false "Whether mail is sent.";
    host = str "localhost:25" "Server of mail, with its port.";
    user = optional types.str "User of the server.";
    password = str "" "Password of the user. All can read it; `$__file{PATH}` takes it from a file.";
    cert_file = optional types.str "File of a certificate.";
    key_file = optional types.str "File of the certificate's key.";
    skip_verify = bool false "Whether the server's certificate is not checked.";
    from_address = str "admin@grafana.localhost" "Address of the sender.";
    from_name = str "Grafana" "Name of the sender.";
    ehlo_identity = optional types.str "Name that is given to the server.";
    startTLS_policy = optional (types.enum [ "OpportunisticStartTLS" "MandatoryStartTLS" "NoStartTLS" ]) "Whether TLS is begun.";
  };
  users = {
    allow_sign_up = bool false "Whether strangers may make accounts.";
    allow_org_create = bool false "Whether users may make organisations.";
    auto_assign_org = bool true "Whether new users are put into an organisation.";
    auto_assign_org_id = int 1 "Number of that organisation.";
    auto_assign_org_role = choice "Viewer" [ "Viewer" "Editor" "Admin" ] "What they may do there.";
    verify_email_enabled = bool false "Whether addresses are verified.";
    login_hint = str "email or username" "Text in the field of the name.";
    password_hint = str "password" "Text in the field of the password.";
    default_theme = choice "dark" [ "dark" "light" "system" ] "Colours of the pages.";
    default_language = str "en-US" "Language of the pages.";
    home_page = str "" "Path of the first page.";
    viewers_can_edit = bool false "Whether those who see a dashboard may change it without saving.";
    user_invite_max_lifetime_duration = str "24h" "How long an invitation holds.";
    hidden_users = str "" "Names that are not shown, with commas between them.";
  };
  analytics = {
    reporting_enabled = bool false "Whether the makers are sent figures of use.";
    check_for_updates = bool false "Whether newer versions are looked for.";
    check_for_plugin_updates = forms.of types.bool (!declaresPlugins) "Whether newer versions of plugins are looked for.";
    feedback_links_enabled = bool true "Whether pages have links to the makers.";
  };
  plugins.preinstall_disabled = bool declaresPlugins "Whether no plugins are installed at the start.";
}
