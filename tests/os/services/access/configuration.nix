# Ways into a network, and a screen: a tunnel between two of its ends, an access point, one program that has the whole screen.
{ lib, modulesPath, pkgs, ... }:
let
  # Made by the test, beside this file.
  fingerprint = name: lib.removeSuffix "\n" (builtins.readFile (./. + "/${name}.fingerprint"));
  password = pkgs.writeText "password" "correct horse battery";
  certificate = name: ''
    dev ${name}
    dev-type tun
    cert ${./.}/${name}.pem
    key ${./.}/${name}.key
    verb 3
  '';
in
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.isContainer = true;
  networking.hostName = "access";
  environment.systemPackages = [ pkgs.curl pkgs.foot pkgs.iputils-ping pkgs.socat ];
  users.users.alice = {
    isNormalUser = true;
    uid = 1000;
  };

  services.openvpn.servers = {
    office = {
      config = ''
        ${certificate "office"}
        tls-server
        dh none
        peer-fingerprint ${fingerprint "away"}
        ifconfig 10.8.0.1 10.8.0.2
      '';
      up = "echo up $dev >/run/office-up";
    };
    # The other end has a network of its own, as if it were another machine.
    away = {
      config = ''
        ${certificate "away"}
        tls-client
        remote 10.7.0.1
        nobind
        peer-fingerprint ${fingerprint "office"}
        ifconfig 10.8.0.2 10.8.0.1
      '';
      autoStart = false;
    };
  };
  networking.firewall = {
    allowedUDPPorts = [ 1194 ];
    trustedInterfaces = [ "office" ];
  };
  systemd.services.openvpn-away.serviceConfig.NetworkNamespacePath = "/run/netns/away";

  services.hostapd = {
    enable = true;
    radios.wlan0 = {
      # There is no card: hostapd reads all of it and keeps the network without one.
      driver = "none";
      networks.wlan0 = {
        ssid = "mine é";
        authentication = {
          mode = "wpa2-sha256";
          wpaPasswordFile = password;
        };
        settings.ctrl_interface = "/run/hostapd";
      };
    };
  };
  systemd.services.hostapd = {
    bindsTo = lib.mkForce [ ];
    after = lib.mkForce [ ];
  };

  services.cage = {
    enable = true;
    user = "alice";
    program = "${pkgs.writeShellScript "shown" "exec foot sh -c 'echo $WAYLAND_DISPLAY $TERM >$XDG_RUNTIME_DIR/shown; exec sleep 600'"}";
    environment = {
      WLR_BACKENDS = "headless";
      WLR_RENDERER = "pixman";
      WLR_LIBINPUT_NO_DEVICES = "1";
    };
  };
  # Neither is needed for a screen that is only memory.
  hardware.graphics.enable = false;
  fonts.enableDefaultPackages = false;
  # A container has neither a screen nor a console of its own.
  systemd.services.cage-tty1 = {
    unitConfig.ConditionPathExists = lib.mkForce [ ];
    serviceConfig = lib.mapAttrs (_: lib.mkForce) {
      TTYPath = null;
      TTYReset = false;
      TTYVHangup = false;
      TTYVTDisallocate = false;
      StandardInput = "null";
    };
  };

  systemd.services.secretive = {
    wantedBy = [ "multi-user.target" ];
    script = "cat \"$CREDENTIALS_DIRECTORY/word\"; id -un";
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      DynamicUser = true;
      LoadCredential = "word:${password}";
      StandardOutput = "file:/run/secretive";
    };
  };

  services.nginx.enable = true;
  services.nginx.virtualHosts.localhost.locations."/".return = "200 hello";
  services.logrotate.settings.nginx.rotate = 3;
}
