# Types whose values are modules, options or types.
{ lib, core }:
let
  inherit (builtins) isAttrs length;
  inherit (core)
    checkedBy
    checkedMerge
    defaultFunctor
    mkOptionType
    phrase
    ;
  inherit (lib) types;
  inherit (lib.parts) errors;
  inherit (lib.parts.merge) mergeOptionDecls setDefaultModuleLocation wrongDefinitions;

  isModule = value: isAttrs value || lib.isFunction value || types.path.check value;

  # Documents are made without definitions, so nothing is to be checked.
  uncheckedModule = { config._module.check = lib.mkForce false; };
in
{
  submodule =
    modules:
    types.submoduleWith {
      shorthandOnlyDefinesConfig = true;
      modules = lib.toList modules;
    };

  submoduleWith =
    given@{
      modules,
      specialArgs ? { },
      # Whether a set is all configuration, with no `options`, `imports` or `config` of its own.
      shorthandOnlyDefinesConfig ? false,
      description ? null,
      class ? null,
    }:
    let
      base = lib.evalModules {
        inherit class specialArgs;
        # Where no name is known, in documents, this one stands.
        modules = [ { _module.args.name = lib.mkOptionDefault "‹name›"; } ] ++ modules;
      };
      inherit (base._module) freeformType;
      asModule =
        definition:
        {
          _file = definition.file;
        }
        // (
          if isAttrs definition.value && shorthandOnlyDefinesConfig == true then
            { config = definition.value; }
          else
            { imports = [ definition.value ]; }
        );
      # Two payloads' settings: the one that is set, or the same in both.
      agree =
        what: mine: theirs:
        if mine == null || mine == theirs then
          theirs
        else if theirs == null then
          mine
        else
          throw "A submoduleWith option is declared multiple times with conflicting ${what}";
    in
    mkOptionType {
      name = "submodule";
      description =
        let
          freeform = (base.extendModules { modules = [ uncheckedModule ]; })._module.freeformType;
        in
        if description != null then
          description
        else if freeform ? description then
          "open submodule of ${phrase [ "noun" "composite" ] freeform}"
        else
          "submodule";
      check = checkedBy isModule;
      merge = checkedMerge (
        { loc, defs }:
        let
          configuration = base.extendModules {
            prefix = loc;
            modules = [ { _module.args.name = lib.last loc; } ] ++ map asModule defs;
          };
        in
        {
          headError = wrongDefinitions isModule defs;
          value = configuration.config;
          valueMeta = { inherit configuration; };
        }
      );
      emptyValue.value = base.config;
      getSubOptions =
        prefix:
        let
          documented = base.extendModules {
            inherit prefix;
            modules = [ uncheckedModule ];
          };
          freeform = documented._module.freeformType;
        in
        documented.options // lib.optionalAttrs (freeform != null) { _freeformOptions = freeform.getSubOptions prefix; };
      getSubModules = modules;
      substSubModules = modules: types.submoduleWith (given // { inherit modules; });
      nestedTypes = lib.optionalAttrs (freeformType != null) { inherit freeformType; };
      functor = defaultFunctor "submodule" // {
        type = types.submoduleWith;
        payload = {
          inherit
            modules
            class
            specialArgs
            shorthandOnlyDefinesConfig
            description
            ;
        };
        binOp =
          mine: theirs:
          let
            both = builtins.attrNames (builtins.intersectAttrs mine.specialArgs theirs.specialArgs);
          in
          {
            class = agree "class values \"${toString mine.class}\" and \"${toString theirs.class}\"." mine.class theirs.class;
            modules = mine.modules ++ theirs.modules;
            specialArgs =
              if both == [ ] then
                mine.specialArgs // theirs.specialArgs
              else
                throw "A submoduleWith option is declared multiple times with the same specialArgs \"${toString both}\"";
            shorthandOnlyDefinesConfig = agree "shorthandOnlyDefinesConfig values" mine.shorthandOnlyDefinesConfig theirs.shorthandOnlyDefinesConfig;
            description = agree "descriptions" mine.description theirs.description;
          };
      };
    };

  # A module kept for another evaluation. `staticModules` are documented with the option.
  deferredModule = types.deferredModuleWith { };
  deferredModuleWith =
    {
      staticModules ? [ ],
    }:
    mkOptionType {
      name = "deferredModule";
      description = "module";
      descriptionClass = "noun";
      check = isModule;
      merge = location: definitions: {
        imports =
          staticModules
          ++ map (definition: setDefaultModuleLocation "${definition.file}, via option ${errors.showOption location}" definition.value) definitions;
      };
      inherit (types.submoduleWith { modules = staticModules; }) getSubOptions getSubModules;
      substSubModules = modules: types.deferredModuleWith { staticModules = modules; };
      functor = defaultFunctor "deferredModuleWith" // {
        type = types.deferredModuleWith;
        payload = { inherit staticModules; };
        binOp = mine: theirs: { staticModules = mine.staticModules ++ theirs.staticModules; };
      };
    };

  optionDeclaration = mkOptionType {
    name = "optionDeclaration";
    description = "option declaration";
    descriptionClass = "noun";
    check = value: lib.isOption value && !(value ? value);
  };

  # Types as values. Several are merged as if one option was declared with each.
  optionType = mkOptionType {
    name = "optionType";
    description = "optionType";
    descriptionClass = "noun";
    check = lib.isOptionType;
    merge =
      location: definitions:
      if length definitions == 1 then
        (builtins.head definitions).value
      else
        (mergeOptionDecls location (
          map (definition: {
            _file = definition.file;
            pos = definition.pos or null;
            options = lib.mkOption { type = definition.value; };
          }) definitions
        )).type;
  };
}
