# What watches other machines: Prometheus with rules, its manager of alerts, exporters, a page that nginx guards.
{ config, pkgs, ... }:
{
  networking.hostName = "watch";
  networking.domain = "example.test";

  services.prometheus = {
    enable = true;
    port = 9001;
    listenAddress = "127.0.0.1";
    webExternalUrl = "https://watch.example.test/prometheus/";
    extraFlags = [ "--web.route-prefix=/" ];
    retentionTime = "15d";
    globalConfig = {
      scrape_interval = "1s";
      evaluation_interval = "1s";
      external_labels.site = "home";
    };
    scrapeConfigs = [
      {
        job_name = "node";
        static_configs = [
          {
            targets = [ "localhost:${toString config.services.prometheus.exporters.node.port}" ];
            labels.room = "cellar";
          }
        ];
        relabel_configs = [
          {
            source_labels = [ "__address__" ];
            regex = "([^:]+):.*";
            target_label = "host";
            replacement = "$1";
          }
        ];
      }
      {
        job_name = "pages";
        metrics_path = "/probe";
        params.module = [ "http_2xx" ];
        static_configs = [ { targets = [ "http://127.0.0.1:80/" ]; } ];
        relabel_configs = [
          {
            source_labels = [ "__address__" ];
            target_label = "__param_target";
          }
          {
            target_label = "__address__";
            replacement = "127.0.0.1:${toString config.services.prometheus.exporters.blackbox.port}";
          }
        ];
      }
      {
        job_name = "gone";
        static_configs = [ { targets = [ "127.0.0.1:9" ]; } ];
      }
    ];
    ruleFiles = [
      (pkgs.writeText "node.rules.yml" (
        builtins.toJSON {
          groups = [
            {
              name = "node";
              rules = [
                {
                  alert = "InstanceDown";
                  expr = "up == 0";
                  for = "0s";
                  labels.severity = "page";
                  annotations.summary = "{{ $labels.job }} is down";
                }
              ];
            }
          ];
        }
      ))
    ];
    rules = [
      ''
        groups:
          - name: sums
            rules:
              - record: jobs:up
                expr: sum(up)
      ''
    ];
    alertmanagers = [
      { static_configs = [ { targets = [ "127.0.0.1:${toString config.services.prometheus.alertmanager.port}" ]; } ]; }
    ];
    alertmanager = {
      enable = true;
      listenAddress = "127.0.0.1";
      environmentFile = "/etc/alertmanager-secrets";
      configuration = {
        route = {
          receiver = "hook";
          group_by = [ "alertname" ];
          group_wait = "1s";
        };
        receivers = [
          {
            name = "hook";
            webhook_configs = [ { url = "http://127.0.0.1:9999/$HOOK"; } ];
          }
        ];
      };
    };
    exporters = {
      node = {
        enable = true;
        enabledCollectors = [
          "systemd"
          "textfile"
        ];
        disabledCollectors = [ "zfs" ];
        extraFlags = [ "--collector.textfile.directory=/var/lib/figures" ];
        openFirewall = true;
        firewallRules = ''
          iifname "br0" tcp dport 9100 accept
        '';
      };
      blackbox = {
        enable = true;
        configFile = pkgs.writeText "blackbox.yml" ''
          modules:
            http_2xx:
              prober: http
              http:
                preferred_ip_protocol: ip4
        '';
      };
      nginx.enable = true;
    };
  };
  environment.etc."alertmanager-secrets" = {
    text = "HOOK=secret-word\n";
    mode = "0400";
  };
  systemd.tmpfiles.rules = [ "d /var/lib/figures 0755 root root -" ];
  systemd.services.backup-age = {
    startAt = "hourly";
    script = ''
      echo 'backup_age_seconds 42' >/var/lib/figures/backup.prom
    '';
  };

  services.nginx = {
    enable = true;
    statusPage = true;
    recommendedProxySettings = true;
    virtualHosts."watch.example.test" = {
      locations."/prometheus/" = {
        proxyPass = "http://127.0.0.1:${toString config.services.prometheus.port}/";
        basicAuth.admin = "let me in";
      };
      locations."/".return = "200 'watching'";
    };
  };
  system.stateVersion = "24.11";
}
