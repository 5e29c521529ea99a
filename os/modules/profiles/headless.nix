# For machines without a screen: they start again by themselves after a panic.
{ lib, ... }:
{
  boot.kernelParams = [
    "panic=1"
    "boot.panic_on_fail"
    "nomodeset"
  ];
  systemd.services."getty@tty1".enable = lib.mkDefault false;
  systemd.services."autovt@".enable = lib.mkDefault false;
}
