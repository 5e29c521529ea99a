# What a system is called besides its host, and what else it keeps.
{ config, lib, pkgs, ... }:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.system;
in
{
  options.system = {
    nixos = {
      tags = forms.strings "Words at the beginning of the system's name in the boot menu.";
      label = forms.of (types.strMatching "[a-zA-Z0-9:_.-]*") (lib.concatStringsSep "-" (cfg.nixos.tags ++ [ "${cfg.firn.version}.${cfg.firn.suite}" ])) "The system's name in the boot menu.";
      release = forms.of types.str cfg.stateVersion "Release of NixOS whose options these are.";
      version = forms.of types.str "${cfg.nixos.release}.firn" "The same, with what it is.";
    };
    configurationRevision = forms.optional types.str "Revision of the configuration, kept with the system.";
    extraDependencies = forms.listOf types.pathInStore "What is kept in the store as long as the system.";
  };
  config.system.firn.label = lib.mkDefault cfg.nixos.label;
  config.system.files =
    lib.optionalAttrs (cfg.extraDependencies != [ ]) { extra-dependencies.text = lib.concatMapStrings (path: "${path}\n") cfg.extraDependencies; }
    // lib.optionalAttrs (cfg.configurationRevision != null) { configuration-revision.text = cfg.configurationRevision; };
}
