# For machines without a screen: the serial console, and a start again after a panic.
{ lib, ... }:
{
  boot.kernelParams = [
    "console=ttyS0"
    "panic=1"
    "boot.panic_on_fail"
  ];
  boot.loader.timeout = lib.mkDefault 0;
  systemd.services."getty@tty1".enable = lib.mkDefault false;
}
