# systemd-networkd: its files.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.systemd.network;
  options = import ../systemd/unit-options.nix { inherit lib pkgs; };
  text = import ../systemd/unit-text.nix { inherit lib pkgs; };
  section =
    description:
    mkOption {
      type = options.section;
      default = { };
      inherit description;
    };
  sections =
    description:
    mkOption {
      # NixOS once wanted each section wrapped in an attribute of its own name.
      type = types.listOf options.section;
      default = [ ];
      inherit description;
    };
  shared = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the file is written.";
    };
    matchConfig = section "Section `[Match]`.";
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Text added to the file.";
    };
  };
  network = types.submodule {
    options = shared // {
      linkConfig = section "Section `[Link]`.";
      networkConfig = section "Section `[Network]`.";
      dhcpV4Config = section "Section `[DHCPv4]`.";
      dhcpV6Config = section "Section `[DHCPv6]`.";
      ipv6AcceptRAConfig = section "Section `[IPv6AcceptRA]`.";
      dhcpServerConfig = section "Section `[DHCPServer]`.";
      bridgeConfig = section "Section `[Bridge]`.";
      addresses = sections "Sections `[Address]`.";
      routes = sections "Sections `[Route]`.";
      address = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Addresses with the length of their prefix.";
      };
      gateway = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Gateways.";
      };
      dns = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Name servers.";
      };
      domains = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Domains to search.";
      };
      bridge = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Bridges the interface belongs to.";
      };
      vlan = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "VLANs on the interface.";
      };
      DHCP = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Whether DHCP is used: yes, no, ipv4, ipv6.";
      };
    };
  };
  netdev = types.submodule {
    options = shared // {
      netdevConfig = section "Section `[NetDev]`.";
      vlanConfig = section "Section `[VLAN]`.";
      bridgeConfig = section "Section `[Bridge]`.";
      bondConfig = section "Section `[Bond]`.";
      wireguardConfig = section "Section `[WireGuard]`; name the key by `PrivateKeyFile`.";
      wireguardPeers = sections "Sections `[WireGuardPeer]`.";
    };
  };
  link = types.submodule {
    options = shared // {
      linkConfig = section "Section `[Link]`.";
    };
  };

  part = name: attributes: lib.optionalString (attributes != { }) "[${name}]\n${text.keys attributes}\n";
  parts = name: entries: lib.concatMapStrings (entry: "[${name}]\n${text.keys entry}\n") entries;
  networkText =
    entry:
    part "Match" entry.matchConfig
    + part "Link" entry.linkConfig
    + part "Network" (
      entry.networkConfig
      // lib.optionalAttrs (entry.DHCP != null) { DHCP = entry.DHCP; }
      // lib.optionalAttrs (entry.address != [ ]) { Address = entry.address; }
      // lib.optionalAttrs (entry.gateway != [ ]) { Gateway = entry.gateway; }
      // lib.optionalAttrs (entry.dns != [ ]) { DNS = entry.dns; }
      // lib.optionalAttrs (entry.domains != [ ]) { Domains = lib.concatStringsSep " " entry.domains; }
      // lib.optionalAttrs (entry.bridge != [ ]) { Bridge = entry.bridge; }
      // lib.optionalAttrs (entry.vlan != [ ]) { VLAN = entry.vlan; }
    )
    + parts "Address" entry.addresses
    + parts "Route" entry.routes
    + part "DHCPv4" entry.dhcpV4Config
    + part "DHCPv6" entry.dhcpV6Config
    + part "IPv6AcceptRA" entry.ipv6AcceptRAConfig
    + part "DHCPServer" entry.dhcpServerConfig
    + part "Bridge" entry.bridgeConfig
    + entry.extraConfig;
  netdevText =
    entry:
    part "Match" entry.matchConfig
    + part "NetDev" entry.netdevConfig
    + part "VLAN" entry.vlanConfig
    + part "Bridge" entry.bridgeConfig
    + part "Bond" entry.bondConfig
    + part "WireGuard" entry.wireguardConfig
    + parts "WireGuardPeer" entry.wireguardPeers
    + entry.extraConfig;
  linkText = entry: part "Match" entry.matchConfig + part "Link" entry.linkConfig + entry.extraConfig;
  files =
    suffix: make: entries:
    lib.mapAttrs' (name: entry: lib.nameValuePair "systemd/network/${name}.${suffix}" { text = make entry; }) (
      lib.filterAttrs (_: entry: entry.enable) entries
    );
  all =
    files "network" networkText cfg.networks
    // files "netdev" netdevText cfg.netdevs
    // files "link" linkText cfg.links;
in
{
  options.systemd.network = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether systemd-networkd configures the network.";
    };
    networks = mkOption {
      type = types.attrsOf network;
      default = { };
      description = "Networks: how interfaces that match are configured.";
    };
    netdevs = mkOption {
      type = types.attrsOf netdev;
      default = { };
      description = "Virtual devices.";
    };
    links = mkOption {
      type = types.attrsOf link;
      default = { };
      description = "Names and settings that udev gives to devices.";
    };
    wait-online = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether units that want the network to be online wait for it.";
      };
      anyInterface = mkOption {
        type = types.bool;
        default = config.networking.useDHCP;
        defaultText = lib.literalExpression "config.networking.useDHCP";
        description = "Whether one interface is enough.";
      };
      timeout = mkOption {
        type = types.ints.unsigned;
        default = 120;
        description = "Seconds to wait.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    environment.etc = all;
    systemd.services = {
      systemd-networkd = {
        wantedBy = [ "multi-user.target" ];
        aliases = [ "dbus-org.freedesktop.network1.service" ];
        # A change of addresses must not cut the connections it does not concern.
        reloadTriggers = map (name: config.environment.etc.${name}.text) (builtins.attrNames all);
        stopIfChanged = false;
      };
      systemd-networkd-wait-online = {
        enable = cfg.wait-online.enable;
        wantedBy = [ "network-online.target" ];
        serviceConfig.ExecStart = [
          ""
          "/usr/lib/systemd/systemd-networkd-wait-online --timeout=${toString cfg.wait-online.timeout}${lib.optionalString cfg.wait-online.anyInterface " --any"}"
        ];
      };
    };
    systemd.sockets.systemd-networkd.wantedBy = [ "sockets.target" ];
  };
}
