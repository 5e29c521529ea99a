# A machine whose root is a volume of LVM on an array of two disks. Its second start lacks one of them.
{ pkgs, ... }:
{
  imports = [ ../encrypted/base.nix ];
  networking.hostName = "volumes";
  programs.firn.enable = false;
  boot.swraid = {
    enable = true;
    mdadmConf = "PROGRAM /usr/bin/true";
  };
  boot.initrd.services.lvm.enable = true;
  boot.initrd.secrets."/etc/secret" = "/root/secret";
  # Read where only the first stage is.
  boot.initrd.postMountCommands = "{ cat /etc/secret; stat -c '%n: %a' /etc/secret; } >/run/secret-of-first-stage 2>&1";
  fileSystems."/" = {
    device = "/dev/machine/root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    label = "ESP";
    fsType = "vfat";
    # On a busy machine without KVM devices come late.
    options = [ "x-systemd.device-timeout=15min" ];
  };
  environment.systemPackages = [ pkgs.fdisk ];
  systemd.services.tell.script = ''
    set -u
    tell() { echo "fact $1: $(eval "$2" 2>&1 | tr '\n' ' ')"; }
    if [ ! -e /var/lib/one-disk ]; then
      tell root "findmnt -n -o SOURCE /; systemctl is-active dev-machine-root.device"
      tell array "grep -o 'active raid1.*' /proc/mdstat; mdadm --detail --export /dev/md/array | grep -x MD_DEVICES=2"
      tell volume "lvs --noheadings -o vg_name,lv_name; lvcreate -q -n more -L 8M machine && ls /dev/machine"
      tell secret "cat /run/secret-of-first-stage"
      tell failed "systemctl --failed --no-legend --plain | cut -d' ' -f1"
      sfdisk --dump /dev/vda | grep half-two >/var/lib/one-disk
      sfdisk --quiet --no-reread --no-tell-kernel --delete /dev/vda 4
      systemctl --no-block reboot
      exit
    fi
    tell lacking "findmnt -n -o SOURCE /; grep -o '\[U_\]' /proc/mdstat; ls /dev/machine"
    tell stillfailed "systemctl --failed --no-legend --plain | cut -d' ' -f1"
    sed 's/^[^:]*: //' /var/lib/one-disk | sfdisk --quiet --no-reread --no-tell-kernel --append /dev/vda
    partx --add --nr 4 /dev/vda
    udevadm settle
    tell again "mdadm --quiet /dev/md/array --add /dev/disk/by-partlabel/half-two; mdadm --wait /dev/md/array; grep -o '\[UU\]' /proc/mdstat"
    tell end "echo end"
    systemctl --no-block poweroff
  '';
}
