# A web server: pages and a program behind TLS, a part of it for who has a password.
{ lib, pkgs, ... }:
let
  domain = "example.test";
  site = pkgs.writeTextDir "index.html" "<h1>Welcome to ${domain}</h1>\n";
in
{
  imports = [ ../authority.nix ];

  networking = {
    hostName = "web";
    inherit domain;
    firewall.allowedTCPPorts = [
      80
      443
    ];
    hosts."127.0.0.1" = [
      domain
      "www.${domain}"
      "old.${domain}"
    ];
  };
  time.timeZone = "Europe/Zurich";
  i18n.defaultLocale = "en_US.UTF-8";
  console.keyMap = "us";

  environment.systemPackages = with pkgs; [
    curl
    git
    htop
    vim
  ];

  security.acme = {
    acceptTerms = true;
    defaults.email = "admin@${domain}";
  };

  services.nginx = {
    enable = true;
    recommendedGzipSettings = true;
    recommendedOptimisation = true;
    recommendedProxySettings = true;
    recommendedTlsSettings = true;
    clientMaxBodySize = "50m";
    statusPage = true;
    appendHttpConfig = ''
      map $scheme $hsts_header {
        https "max-age=31536000; includeSubdomains";
      }
    '';
    virtualHosts = {
      ${domain} = {
        serverAliases = [ "www.${domain}" ];
        default = true;
        enableACME = true;
        forceSSL = true;
        root = site;
        extraConfig = "add_header Strict-Transport-Security $hsts_header;";
        locations = {
          "/".tryFiles = "$uri $uri/ =404";
          "/private/" = {
            alias = "/srv/private/";
            basicAuthFile = pkgs.writeText "htpasswd" "alice:{PLAIN}wonderland\n";
          };
          "/api/" = {
            proxyPass = "http://127.0.0.1:3000/";
            extraConfig = "proxy_read_timeout 5s;";
          };
          "~ \\.php$".return = "403";
        };
      };
      "old.${domain}" = {
        globalRedirect = domain;
        redirectCode = 308;
      };
    };
  };

  systemd.services.api = {
    description = "The site's own program";
    wantedBy = [ "multi-user.target" ];
    after = [ "network.target" ];
    environment.GREETING = "hello";
    serviceConfig = {
      ExecStart = "${lib.getExe pkgs.python3} ${./api.py} 3000";
      DynamicUser = true;
      Restart = "on-failure";
      RestartSec = 1;
      ProtectSystem = "strict";
      ProtectHome = true;
      NoNewPrivileges = true;
    };
  };

  systemd.tmpfiles.rules = [
    "d /srv/private 0755 root root - -"
    "f /srv/private/secret.txt 0644 root root - for alice"
  ];

  services.openssh = {
    enable = true;
    settings = {
      PasswordAuthentication = false;
      PermitRootLogin = "no";
    };
  };
  users.users.deploy = {
    isNormalUser = true;
    description = "Puts pages here";
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKw5WQKv2xv0lEHgQyv8VhZ4mNOF7fVJzZ8QqJrXhVnE deploy" ];
  };

  system.stateVersion = "26.05";
}
