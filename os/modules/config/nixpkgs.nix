# Options with which NixOS configurations say for what machine they are; the packages here are Debian's.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.nixpkgs;
  # A platform is a name or, elaborated, a set that has it.
  platform = types.coercedTo types.attrs (value: value.system) types.str;
in
{
  options.nixpkgs = {
    hostPlatform = mkOption {
      type = platform;
      default = cfg.system;
      defaultText = lib.literalExpression "config.nixpkgs.system";
      example = "x86_64-linux";
      description = "The machine the system is for. There is a package set for `x86_64-linux` only.";
    };
    system = mkOption {
      type = types.str;
      default = "x86_64-linux";
      description = "The older way to say {option}`nixpkgs.hostPlatform`.";
    };
    overlays = mkOption {
      type = types.listOf (types.mkOptionType {
        name = "overlay";
        description = "function of the final and the previous set of packages";
        check = lib.isFunction;
        merge = lib.mergeOneOption;
      });
      default = [ ];
      example = lib.literalExpression "[ (final: prev: { tool = prev.writeShellScriptBin \"tool\" \"echo mine\"; }) ]";
      description = "Changes of the set of packages. What Debian's packages depend on stays what it is.";
    };
    config = mkOption {
      type = types.attrsOf types.raw;
      default = { };
      example = {
        allowUnfree = true;
      };
      description = "Changes nothing: Debian's packages are not configured when they are used.";
    };
  };
  config.assertions = [
    {
      assertion = cfg.hostPlatform == "x86_64-linux";
      message = "nixpkgs.hostPlatform is '${cfg.hostPlatform}', but there is a package set for x86_64-linux only";
    }
  ];
}
