# What needs a kernel of one's own: a tunnel of WireGuard, a directory by NFS, a disk that is larger than the image written to it, devices
# and what boot loaders are told.
{ lib, modulesPath, pkgs, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  networking.hostName = "kernel";
  boot.loader.systemd-boot.enable = true;
  boot.loader.timeout = 0;
  boot.growPartition = true;
  services.udev.extraHwdb = "firn:mine*\n FIRN_MINE=yes\n";
  boot.kernelParams = [ "console=ttyS0" "mitigations=off" ];
  fileSystems."/" = {
    label = "root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    label = "ESP";
    fsType = "vfat";
  };
  fileSystems."/mnt/shared" = {
    device = "127.0.0.1:/";
    fsType = "nfs";
    options = [ "noauto" "vers=4.2" ];
  };
  programs.firn.enable = false;
  specialisation.quiet.configuration.boot.consoleLogLevel = 1;
  systemd.network.wait-online.enable = false;

  services.nfs.server = {
    enable = true;
    exports = "/srv/shared 127.0.0.1(rw,fsid=0,no_root_squash,no_subtree_check)";
    createMountPoints = true;
  };

  networking.wireguard.interfaces.wg0 = {
    ips = [ "10.100.0.1/24" ];
    listenPort = 51820;
    privateKeyFile = "/var/lib/wireguard/wg0.key";
    generatePrivateKeyFile = true;
    postSetup = "echo up >/run/wg0";
    postShutdown = "echo down >/run/wg0";
  };
  networking.firewall.allowedUDPPorts = [ 51820 51821 ];
  environment.systemPackages = [ pkgs.wireguard-tools pkgs.iputils-ping ];

  # A getty hangs the console up when it starts, and what is told by then is lost with who tells it.
  systemd.services."serial-getty@ttyS0".enable = false;
  # The other end has a network of its own, so that packets have to go through the tunnel.
  systemd.services.tell = {
    wantedBy = [ "multi-user.target" ];
    after = [ "nfs-server.service" "systemd-networkd.service" ];
    serviceConfig = {
      Type = "idle";
      StandardOutput = "tty";
      StandardError = "tty";
      TTYPath = "/dev/ttyS0";
    };
    script = ''
      tell() { echo "fact $1: $(eval "$2" 2>&1 | tail -n 1 | tr -d '\r')"; }
      for i in $(seq 300); do if [ -e /run/wg0 ]; then break; fi; sleep 0.2; done
      ip netns add far
      ip link add wg1 type wireguard
      wg genkey >/run/wg1.key
      wg set wg1 listen-port 51821 private-key /run/wg1.key peer "$(wg show wg0 public-key)" endpoint 127.0.0.1:51820 allowed-ips 10.100.0.1/32
      wg set wg0 peer "$(wg show wg1 public-key)" allowed-ips 10.100.0.2/32
      ip link set wg1 netns far
      ip -n far address add 10.100.0.2/24 dev wg1
      ip -n far link set wg1 up
      tell tunnel "ip netns exec far ping -c 3 -W 20 10.100.0.1 >/dev/null && echo answered"
      tell hook "cat /run/wg0"
      ip link delete wg0
      for i in $(seq 100); do if [ "$(cat /run/wg0)" = down ]; then break; fi; sleep 0.2; done
      tell gone "cat /run/wg0"
      tell nfs "systemctl start mnt-shared.mount && echo data >/mnt/shared/file && cat /srv/shared/file"
      tell mounted "findmnt -n -o FSTYPE /mnt/shared"
      tell size "df --output=size -m / | tail -n 1"
      tell device "systemd-hwdb query firn:mine:1"
      tell maker "systemd-hwdb query usb:v046D | grep -o Logitech"
      tell failed "systemctl --failed --no-legend --plain | cut -d' ' -f1"
      tell variant "tr -d '\"' </run/current-system/boot.json | awk -F org.nixos.specialisation.v1: '{ print substr(\$2, 1, 31) }'"
      tell end "echo end"
      systemctl --no-block poweroff
    '';
  };
}
