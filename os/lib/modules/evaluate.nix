# evalModules: modules in, a configuration out.
{ lib }:
let
  inherit (builtins) isAttrs mapAttrs seq;
  inherit (lib)
    mkDefault
    mkOption
    optional
    types
    ;
  inherit (lib.parts) errors;
  inherit (lib.parts.collect) collectModules;
  inherit (lib.parts.merge) mergeModules;

  valuesOf = mapAttrs (_: option: if option._type or "" == "option" then option.value else valuesOf option);

  evalModules =
    evaluation@{
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
      args ? { },
      check ? true,
    }:
    let
      # `_module`: the options of the evaluation itself.
      internal = {
        _file = "lib/modules.nix";
        key = "lib/modules.nix";
        options._module = {
          args = mkOption (
            {
              type = types.lazyAttrsOf types.raw;
              description = "Additional arguments of every module function; unlike `specialArgs` they cannot be used in `imports`.";
            }
            # In submodules it would only fill the manual.
            // lib.optionalAttrs (prefix != [ ]) { internal = true; }
          );
          check = mkOption {
            type = types.bool;
            internal = true;
            default = true;
            description = "Whether every definition must be one of a declared option.";
          };
          freeformType = mkOption {
            type = types.nullOr types.optionType;
            internal = true;
            default = null;
            description = "The type of all definitions that are not of a declared option. With `null` such definitions are an error.";
          };
          specialArgs = mkOption {
            readOnly = true;
            internal = true;
            description = "Arguments from outside, which modules can use in `imports` and cannot change.";
          };
        };
        config._module = {
          args = {
            inherit extendModules;
            moduleType = type;
          };
          inherit specialArgs;
        };
      };

      regular =
        modules
        ++ optional (evaluation ? args) { config._module.args = args; }
        ++ optional (evaluation ? check) { config._module.check = mkDefault check; };

      collected = collectModules {
        inherit class;
        modulesPath = specialArgs.modulesPath or "";
        modules = regular ++ [ internal ];
        arguments = {
          inherit lib options specialArgs;
          _class = class;
          _prefix = prefix;
          config = builtins.addErrorContext "if you get an infinite recursion here, you probably reference `config` in `imports`. If you are trying to achieve a conditional import behavior dependent on `config`, consider importing unconditionally, and using `mkEnableOption` and `mkIf` to control its effect." config;
        }
        // specialArgs;
      };

      # Later modules come first: so have definitions always been ordered.
      merged = mergeModules prefix (lib.reverseList collected.modules);
      inherit (merged) options;

      declared = valuesOf options;
      freeform =
        if merged.unmatched == [ ] then
          { }
        else
          declared._module.freeformType.merge prefix (
            map (definition: {
              inherit (definition) file pos;
              value = lib.setAttrByPath definition.prefix definition.value;
            }) merged.unmatched
          );
      config = if declared._module.freeformType == null then declared else lib.recursiveUpdate freeform declared;

      checked = seq (
        if config._module.check && config._module.freeformType == null && merged.unmatched != [ ] then
          throw (
            errors.unknownOption {
              inherit prefix options;
              inherit (merged) unmatched;
            }
          )
        else
          null
      );

      extendModules =
        extension@{
          modules ? [ ],
          specialArgs ? { },
          prefix ? [ ],
        }:
        evalModules (
          evaluation
          // {
            modules = regular ++ modules;
            specialArgs = evaluation.specialArgs or { } // specialArgs;
            prefix = extension.prefix or evaluation.prefix or [ ];
          }
        );

      type = types.submoduleWith { inherit modules specialArgs class; };

      result = {
        _type = "configuration";
        options = checked options;
        config = checked (removeAttrs config [ "_module" ]);
        _module = checked config._module;
        inherit (collected) graph;
        inherit extendModules type class;
      };
    in
    lib.warnIf (evaluation ? args) "The args argument to evalModules is deprecated. Please set config._module.args instead." (
      lib.warnIf (evaluation ? check) "The check argument to evalModules is deprecated. Please set config._module.check instead." result
    );
in
{
  inherit evalModules;
}
