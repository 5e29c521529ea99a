# A machine that a BIOS starts by GRUB.
{ modulesPath, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  networking.hostName = "bios";
  boot.loader.grub = {
    enable = true;
    device = "/dev/vda";
    extraConfig = ''
      serial --unit=0 --speed=115200
      terminal_output serial console
    '';
  };
  boot.loader.timeout = 1;
  boot.kernelParams = [ "console=ttyS0" "mitigations=off" "firn.words=\"two words\"" ];
  fileSystems."/" = {
    label = "root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    label = "ESP";
    fsType = "vfat";
  };
  systemd.network.wait-online.enable = false;
  # A getty hangs the console up when it starts, and what is told by then is lost with who tells it.
  systemd.services."serial-getty@ttyS0".enable = false;
  systemd.services.tell = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Type = "idle";
      StandardOutput = "tty";
      StandardError = "tty";
      TTYPath = "/dev/ttyS0";
    };
    path = [ "/run/current-system/sw" ];
    # Three starts: the first generation, the second, the first again after a rollback.
    script = ''
      tell() { echo "fact $1: $(eval "$2" 2>&1 | tr '\n' ' ')"; }
      mkdir -p /var/lib/starts
      start=$(ls /var/lib/starts | wc -l)
      touch "/var/lib/starts/$start"
      tell start$start "cat /etc/generation; ls -d /sys/firmware/efi 2>/dev/null || echo no UEFI"
      tell failed$start "systemctl --failed --no-legend --plain | cut -d' ' -f1"
      case $start in
        0)
          tell words "grep -o '.firn.words=two words.' /proc/cmdline"
          (umask 077 && echo "kept from the store" >/root/secret)
          firn os boot --install-bootloader --store-path "$(cat /etc/second)"
          tell menu "grep -o 'id .firn-[0-9]*' /boot/grub/grub.cfg"
          systemctl --no-block reboot ;;
        1)
          tell secret "cat /run/secret-of-first-stage"
          firn os rollback --boot
          systemctl --no-block reboot ;;
        *)
          tell end "echo end"
          systemctl --no-block poweroff ;;
      esac
    '';
  };
}
