# The machine that makes the encrypted one, in the rest of its own disk.
{ modulesPath, pkgs, ... }:
let
  encrypted = import (modulesPath + "/../eval-config.nix") { modules = [ ./encrypted.nix ]; };
in
{
  imports = [ ./base.nix ];
  networking.hostName = "installer";
  fileSystems."/" = {
    label = "root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    label = "ESP";
    fsType = "vfat";
  };
  environment.etc.encrypted.text = "${encrypted.config.system.build.toplevel}";
  environment.systemPackages = [ pkgs.cryptsetup-bin pkgs.fdisk ];
  systemd.services.tell.script = ''
    set -eu
    sfdisk --quiet --no-reread --no-tell-kernel --relocate gpt-bak-std /dev/vda
    sfdisk --quiet --no-reread --no-tell-kernel --append /dev/vda <<END
    size=600M, name=secret-root
    size=64M, name=secret-home
    size=64M, name=secret-data
    size=64M, name=secret-vault
    size=64M, name=secret-swap
    END
    partx --add --nr 3: /dev/vda
    udevadm settle
    # encrypt NAME KEY-FILE
    encrypt() {
      device=/dev/disk/by-partlabel/secret-$1
      cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$device" "$2"
      cryptsetup open --key-file "$2" "$device" "new-$1"
      mkfs.ext4 -q "/dev/mapper/new-$1"
      mkdir -p "/mnt/$1"
      mount "/dev/mapper/new-$1" "/mnt/$1"
      echo "a file of $1" >"/mnt/$1/file"
    }
    printf 'correct horse' >/run/root.key
    printf 'battery staple' >/run/vault.key
    encrypt root /run/root.key
    mkdir -p /mnt/root/root /mnt/root/boot
    chmod 700 /mnt/root/root
    for name in home data; do
      head -c 64 /dev/urandom >/mnt/root/root/$name.key
      encrypt $name /mnt/root/root/$name.key
    done
    encrypt vault /run/vault.key
    mount --bind /boot /mnt/root/boot
    firn os install --root /mnt/root --system "$(cat /etc/encrypted)"
    umount -R /mnt/root /mnt/home /mnt/data /mnt/vault
    echo "fact end: end"
    systemctl --no-block poweroff
  '';
}
