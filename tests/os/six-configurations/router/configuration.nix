# A router: addresses and names for a network at home, NAT, forwarded ports, nftables, a tunnel.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  networking = {
    hostName = "router";
    domain = "lan";
    useDHCP = false;
    useNetworkd = true;
    nameservers = [ "127.0.0.1" ];
    interfaces = {
      wan0.ipv4.addresses = [
        {
          address = "203.0.113.2";
          prefixLength = 24;
        }
      ];
      lan0 = {
        useDHCP = false;
        ipv4.addresses = [
          {
            address = "192.168.10.1";
            prefixLength = 24;
          }
        ];
      };
    };
    defaultGateway = {
      address = "203.0.113.1";
      interface = "wan0";
    };
    nat = {
      enable = true;
      externalInterface = "wan0";
      internalInterfaces = [ "lan0" ];
      internalIPs = [ "192.168.10.0/24" ];
      forwardPorts = [
        {
          sourcePort = 8080;
          proto = "tcp";
          destination = "192.168.10.50:80";
        }
      ];
    };
    nftables.enable = true;
    firewall = {
      enable = true;
      filterForward = true;
      logRefusedConnections = false;
      trustedInterfaces = [ "lan0" ];
      interfaces.wan0.allowedUDPPorts = [ config.networking.wireguard.interfaces.wg0.listenPort ];
      extraForwardRules = lib.mkBefore ''
        iifname "lan0" ip daddr 198.51.100.66 drop
      '';
    };
    wireguard.interfaces.wg0 = {
      ips = [ "10.100.0.1/24" ];
      listenPort = 51820;
      generatePrivateKeyFile = true;
      privateKeyFile = "/var/lib/wireguard/private";
      peers = [
        {
          name = "phone";
          publicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
          allowedIPs = [ "10.100.0.2/32" ];
          persistentKeepalive = 25;
        }
      ];
    };
    hosts."192.168.10.1" = [
      "router.lan"
      "router"
    ];
  };
  boot.kernel.sysctl = {
    "net.ipv4.conf.all.forwarding" = true;
    "net.ipv6.conf.all.forwarding" = true;
    "net.ipv4.conf.all.send_redirects" = 0;
  };

  services.resolved.enable = false;
  services.dnsmasq = {
    enable = true;
    resolveLocalQueries = true;
    settings = {
      interface = "lan0";
      bind-dynamic = true;
      no-resolv = true;
      no-hosts = true;
      domain-needed = true;
      bogus-priv = true;
      local = "/lan/";
      domain = "lan";
      expand-hosts = true;
      server = [
        "/corp.test/127.0.0.1#5353"
        "9.9.9.9"
      ];
      address = [
        "/router.lan/192.168.10.1"
        "/ads.test/0.0.0.0"
      ];
      dhcp-range = [ "192.168.10.50,192.168.10.99,12h" ];
      dhcp-option = [
        "option:router,192.168.10.1"
        "option:dns-server,192.168.10.1"
      ];
      dhcp-host = [ "02:00:00:00:00:50,server,192.168.10.50" ];
      dhcp-authoritative = true;
      cache-size = 1000;
    };
  };
  services.openssh = {
    enable = true;
    openFirewall = false;
    listenAddresses = [ { addr = "192.168.10.1"; } ];
  };
  # The address is there once the network is.
  systemd.services.sshd = {
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
  };
  environment.systemPackages = with pkgs; [
    tcpdump
    dig
    wireguard-tools
    nftables
    iproute2
  ];
  system.stateVersion = "25.11";
}
