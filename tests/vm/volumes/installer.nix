# The machine that makes the other one, in the rest of its own disk.
{ modulesPath, pkgs, ... }:
let
  volumes = import (modulesPath + "/../eval-config.nix") { modules = [ ./volumes.nix ]; };
in
{
  imports = [ ../encrypted/base.nix ];
  networking.hostName = "installer";
  fileSystems."/" = {
    label = "root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    label = "ESP";
    fsType = "vfat";
    # On a busy machine without KVM devices come late.
    options = [ "x-systemd.device-timeout=15min" ];
  };
  environment.etc.volumes.text = "${volumes.config.system.build.toplevel}";
  environment.systemPackages = [ pkgs.fdisk ];
  boot.swraid = {
    enable = true;
    mdadmConf = "PROGRAM /usr/bin/true";
  };
  services.lvm.enable = true;
  systemd.services.tell.script = ''
    set -eu
    sfdisk --quiet --no-reread --no-tell-kernel --relocate gpt-bak-std /dev/vda
    sfdisk --quiet --no-reread --no-tell-kernel --append /dev/vda <<END
    size=700M, name=half-one
    size=700M, name=half-two
    END
    partx --add --nr 3: /dev/vda
    udevadm settle
    mdadm --create /dev/md/array --run --level 1 --metadata 1.2 --assume-clean --raid-devices 2 /dev/disk/by-partlabel/half-one /dev/disk/by-partlabel/half-two
    vgcreate -q machine /dev/md/array
    lvcreate -q -n root -L 640M machine
    mkfs.ext4 -q /dev/machine/root
    mount /dev/machine/root /mnt
    mkdir -p /mnt/boot /mnt/root
    echo "kept from the store" >/mnt/root/secret
    mount --bind /boot /mnt/boot
    firn os install --root /mnt --system "$(cat /etc/volumes)"
    umount -R /mnt
    echo "fact end: end"
    systemctl --no-block poweroff
  '';
}
