# Options of NixOS that files made by nixos-generate-config set, and that have one right value here.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  forms = import ../option-forms.nix { inherit lib pkgs; };
in
{
  options.boot.extraModulePackages = forms.packages "Packages with further kernel modules. None can be had here: modules are those of Debian's kernel.";
  config.assertions = [
    {
      assertion = config.boot.extraModulePackages == [ ];
      message = "boot.extraModulePackages: kernel modules outside Debian's kernel package are not supported";
    }
  ];
}
