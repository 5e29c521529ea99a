# For small machines: no documents, no packages that are only convenient, no Firn in the system.
{ lib, ... }:
{
  documentation.enable = lib.mkDefault false;
  environment.defaultPackages = lib.mkDefault [ ];
  programs.firn.enable = lib.mkDefault false;
}
