# Variants of the system, part of the same generation: chosen in the boot menu, or with `firn os switch --specialisation NAME`.
{
  config,
  lib,
  extendModules,
  noUserModules,
  ...
}:
let
  inherit (lib) mkOption types;
  # A variant has no variants.
  variant = {
    specialisation = lib.mkOverride 0 { };
    system.isSpecialisation = lib.mkOverride 0 true;
  };
  child = types.submodule (
    { config, ... }:
    {
      options = {
        inheritParentConfig = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the variant has the whole configuration around it, to which its own is added.";
        };
        configuration = mkOption {
          type = ((if config.inheritParentConfig then extendModules else noUserModules.extendModules) { modules = [ variant ]; }).type;
          default = { };
          visible = "shallow";
          description = "What is different.";
        };
      };
    }
  );
in
{
  options.specialisation = mkOption {
    type = types.attrsOf child;
    default = { };
    example = lib.literalExpression "{ fewer.configuration.services.printing.enable = false; }";
    description = "Variants of the system by name.";
  };
  options.system.isSpecialisation = mkOption {
    type = types.bool;
    default = false;
    internal = true;
    description = "Whether this is a variant of another system.";
  };
  config = lib.mkIf (config.specialisation != { }) {
    assertions = map (name: {
      assertion = builtins.match "[A-Za-z0-9_.-]+" name != null;
      message = "specialisation.\"${name}\": a name has letters, digits, '_', '.' and '-'";
    }) (builtins.attrNames config.specialisation);
    system.files = lib.mapAttrs' (
      name: entry: lib.nameValuePair "specialisation/${name}" { target = "${entry.configuration.system.build.toplevel}"; }
    ) config.specialisation;
  };
}
