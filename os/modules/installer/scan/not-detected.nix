# Imported by what `nixos-generate-config` writes for machines it does not know.
{ lib, ... }:
{
  hardware.enableRedistributableFirmware = lib.mkDefault true;
}
