# For small systems: nothing that only people who log in would miss.
{ lib, ... }:
{
  documentation.enable = lib.mkDefault false;
  environment.defaultPackages = lib.mkDefault [ ];
  programs.bash.completion.enable = lib.mkDefault false;
}
