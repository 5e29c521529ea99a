# A machine with all it has encrypted: its root and a vault by passphrases, its homes by a key on the root, data by a key that
# crypttab names, swap by a key that is made at each start.
{
  imports = [ ./base.nix ];
  networking.hostName = "encrypted";
  programs.firn.enable = false;
  boot.initrd.luks.devices.cryptroot = {
    device = "/dev/disk/by-partlabel/secret-root";
    allowDiscards = true;
  };
  fileSystems."/" = {
    device = "/dev/mapper/cryptroot";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    label = "ESP";
    fsType = "vfat";
  };
  fileSystems."/home" = {
    device = "/dev/mapper/crypthome";
    fsType = "ext4";
    encrypted = {
      enable = true;
      label = "crypthome";
      blkDev = "/dev/disk/by-partlabel/secret-home";
      keyFile = "/mnt-root/root/home.key";
    };
  };
  environment.etc.crypttab.text = ''
    data /dev/disk/by-partlabel/secret-data /root/data.key
    vault /dev/disk/by-partlabel/secret-vault none
  '';
  fileSystems."/srv/data" = {
    device = "/dev/mapper/data";
    fsType = "ext4";
  };
  fileSystems."/srv/vault" = {
    device = "/dev/mapper/vault";
    fsType = "ext4";
  };
  swapDevices = [
    {
      device = "/dev/disk/by-partlabel/secret-swap";
      randomEncryption = true;
    }
  ];
  systemd.services.tell.script = ''
    tell() { echo "fact $1: $(eval "$2" 2>&1 | tr '\n' ' ')"; }
    tell root "findmnt -n -o SOURCE /"
    tell home "findmnt -n -o SOURCE /home; cat /home/file"
    tell data "findmnt -n -o SOURCE /srv/data; cat /srv/data/file"
    tell vault "findmnt -n -o SOURCE /srv/vault; cat /srv/vault/file"
    tell swap "swapon --noheadings --show=NAME,TYPE | wc -l; lsblk -n -o TYPE /dev/mapper/dev-disk-by-partlabel-secret-swap"
    tell device "systemctl is-active dev-mapper-cryptroot.device; readlink /dev/mapper/cryptroot | cut -c1-6"
    tell failed "systemctl --failed --no-legend --plain | cut -d' ' -f1"
    tell end "echo end"
    systemctl --no-block poweroff
  '';
}
