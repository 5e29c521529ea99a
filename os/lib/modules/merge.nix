# Declarations and definitions of all modules, made one tree of options with values.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatMap
    filter
    head
    isAttrs
    length
    mapAttrs
    zipAttrsWith
    ;
  inherit (lib)
    definitionOf
    isOption
    mkOption
    openSets
    resolveDefinitions
    types
    ;
  inherit (lib.parts) errors;

  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };

  throwIfOverridden =
    location: type:
    if type.check.isV2MergeCoherent or false then
      lib.id
    else
      throw ''
        The option `${errors.showOption location}' has a type `${type.description}' that uses
        an ad-hoc `type // { check = ...; }' override, which is incompatible with
        the v2 merge mechanism.

        Please use `lib.types.addCheck` instead of `type // { check }' to add
        custom validation. For example:

          lib.types.addCheck baseType (value: /* your check */)
      '';

  # What a type makes of definitions: { headError, value, valueMeta }, for types of both kinds. `headError` is null or
  # { message } when a definition itself (not something inside it) has the wrong type.
  mergeWithType =
    location: type: definitions:
    if type.merge ? v2 then
      throwIfOverridden location type (
        type.merge.v2 {
          loc = location;
          defs = definitions;
        }
      )
    else
      {
        headError = wrongDefinitions type.check definitions;
        value = type.merge location definitions;
        valueMeta = { };
      };

  wrongDefinitions =
    check: definitions:
    let
      wrong = filter (definition: !check definition.value) definitions;
    in
    if length definitions == 1 && check (head definitions).value || wrong == [ ] then null else { message = "Definition values:${errors.showDefs wrong}"; };

  # The value of an option (or of an element inside one) from its definitions.
  mergeDefinitions =
    location: type: definitions:
    let
      resolved = resolveDefinitions definitions;
      values = resolved.values;
      isDefined = values != [ ];
      isNew = type.merge ? v2;
      merged = mergeWithType location type values;
      mergedValue =
        if isDefined then
          if merged.headError != null then
            throw (errors.wrongType location type (if isNew then "TypeError: ${merged.headError.message}" else merged.headError.message))
          else
            merged.value
        else if type.emptyValue ? value then
          type.emptyValue.value
        else
          throw "The option `${errors.showOption location}' was accessed but has no value defined. Try setting the option.";
    in
    {
      inherit isDefined mergedValue;
      defsFinal' = resolved;
      defsFinal = values;
      optionalValue = if isDefined then { value = mergedValue; } else { };
      checkedAndMerged =
        if isNew then
          {
            inherit (merged) headError value;
            valueMeta = merged.valueMeta // {
              _internal = { inherit type; };
            };
          }
        else
          {
            headError = null;
            value = mergedValue;
            valueMeta = { };
          };
    };

  # An option with its value and where that comes from.
  evalOptionValue =
    location: option: definitions:
    let
      all =
        if option ? default then
          [
            {
              file = head option.declarations;
              value = lib.mkOptionDefault option.default;
            }
          ]
          ++ definitions
        else
          definitions;
      merged =
        if option.readOnly or false && length all > 1 then
          throw "The option `${errors.showOption location}' is read-only, but it's set multiple times. Definition values:${
            errors.showDefs (map (definition: definition // { value = (mergeDefinitions location option.type [ definition ]).mergedValue; }) all)
          }"
        else
          mergeDefinitions location option.type all;
      deprecation = option.type.deprecationMessage or null;
      warned =
        if deprecation == null then
          option
        else
          lib.warn "The type `types.${option.type.name}' of option `${errors.showOption location}' defined in ${errors.showFiles option.declarations} is deprecated. ${deprecation}" option;
    in
    warned
    // {
      value = builtins.addErrorContext "while evaluating the option `${errors.showOption location}':" (
        if option ? apply then option.apply merged.mergedValue else merged.mergedValue
      );
      inherit (merged.defsFinal') highestPrio;
      definitions = map (definition: definition.value) merged.defsFinal;
      files = map (definition: definition.file) merged.defsFinal;
      definitionsWithLocations = merged.defsFinal;
      inherit (merged) isDefined;
      inherit (merged.checkedAndMerged) valueMeta;
      __toString = _: errors.showOption location;
    };

  declarationPosition =
    declaration:
    if declaration.pos != null then
      declaration.pos
    else
      {
        file = declaration._file;
        line = null;
        column = null;
      };

  # All declarations of one option made one. Types are merged; submodules learn the files that declare them, the last first.
  mergeOptionDecls =
    location: declarations:
    let
      first = head declarations;
      submodulesOf =
        declaration:
        let
          modules = declaration.options.type.getSubModules or null;
        in
        if modules == null then [ ] else map (setDefaultModuleLocation declaration._file) modules;
      hasSubmodules = builtins.any (declaration: declaration.options.type.getSubModules or null != null) declarations;
      add =
        state: declaration:
        let
          new = declaration.options;
          old = state.option;
          clash = name: new ? ${name} && old ? ${name};
          conflict = throw (errors.declaredTwice location state.before declaration);
          mergedType = old.type.typeMerge new.type.functor;
          type =
            if old ? type && new ? type then
              { type = if mergedType == null then conflict else mergedType; }
            else
              { };
        in
        {
          option =
            if clash "default" || clash "example" || clash "description" || clash "apply" then
              conflict
            else
              new // old // type;
          before = state.before ++ [ declaration ];
        };
      option =
        if length declarations == 1 then
          first.options
        else
          (builtins.foldl' add { option = first.options; before = [ first ]; } (builtins.tail declarations)).option;
      located = {
        loc = location;
        declarations = map (declaration: declaration._file) declarations;
        declarationPositions = map declarationPosition declarations;
      };
    in
    if option ? type then
      option
      // located
      // {
        type =
          if option.type.getSubModules or null != null && hasSubmodules then
            option.type.substSubModules (concatMap submodulesOf (lib.reverseList declarations))
          else
            option.type;
      }
    else
      option // located;

  withType = option: if option ? type then option else option // { type = types.unspecified; };

  # A tree of options declared inside a submodule option of another module.
  asSubmodule =
    declaration:
    if isOption declaration.options then
      declaration
    else
      declaration
      // {
        options = mkOption {
          type = types.submoduleWith {
            modules = [ { options = declaration.options; } ];
            # Whatever the other declarations say.
            shorthandOnlyDefinesConfig = null;
          };
        };
      };

  isDeclaration =
    location: declaration:
    declaration.options ? _type
    && (declaration.options._type == "option" || throw (errors.notAnOption location declaration._file declaration.options._type));

  # declarations: [ { _file, options } ]; sets: opened definitions, see openSets.
  mergeTree =
    prefix: declarations: sets:
    let
      declared = zipAttrsWith (_: values: values) (
        map (
          declaration:
          if isAttrs declaration.options then
            mapAttrs (name: options: {
              inherit (declaration) _file;
              pos = builtins.unsafeGetAttrPos name declaration.options;
              inherit options;
            }) declaration.options
          else
            throw (errors.optionsNotAttributes prefix declaration.options declaration._file)
        ) declarations
      );
      defined = zipAttrsWith (_: values: values) (
        map (set: if isAttrs set.attrs then mapAttrs (definitionOf set) set.attrs else throw (errors.notAttributes prefix set)) sets
      );

      branch =
        name: here:
        let
          location = prefix ++ [ name ];
          definitions = defined.${name} or [ ];
          options = filter (isDeclaration location) here;
          leaf = all: {
            option = evalOptionValue location (withType (mergeOptionDecls location all)) definitions;
            unmatched = [ ];
          };
        in
        if length options == length here then
          leaf here
        else if options == [ ] then
          let
            below = mergeTree location here (concatMap openSets definitions);
          in
          {
            option = below.options;
            inherit (below) unmatched;
          }
        else if builtins.all (declaration: declaration.options.type.name or null == "submodule") options then
          leaf (map asSubmodule here)
        else
          throw (errors.parentOfOptions location (head options) (filter (declaration: !isOption declaration.options) here));

      branches = mapAttrs branch declared;
      unmatchedOf = name: branches.${name}.unmatched or defined.${name};
      withName =
        name: map (definition: definition // { prefix = [ name ] ++ definition.prefix or [ ]; }) (unmatchedOf name);
    in
    {
      options = mapAttrs (_: one: one.option) branches;
      # Only what is defined can be unmatched; other options need not be looked at.
      unmatched = concatMap withName (attrNames defined);
    };
in
{
  inherit
    evalOptionValue
    mergeDefinitions
    mergeOptionDecls
    mergeWithType
    setDefaultModuleLocation
    wrongDefinitions
    ;

  # The merged tree of modules in canonical form: { options, unmatched = [ { file, value, pos, prefix } ] }.
  mergeModules =
    prefix: modules:
    mergeTree prefix modules (
      concatMap (
        module:
        openSets {
          file = module._file;
          value = module.config;
        }
      ) modules
    );

  # The values of an `attrsOf` option with the priority of each: { name = { value, highestPrio }; }.
  mergeAttrDefinitionsWithPrio =
    option:
    let
      sets = concatMap openSets option.definitionsWithLocations;
      byName = zipAttrsWith (_: values: values) (map (set: mapAttrs (definitionOf set) set.attrs) sets);
    in
    assert option.type.name == "attrsOf" || option.type.name == "lazyAttrsOf";
    mapAttrs (
      name: definitions:
      let
        merged = mergeDefinitions (option.loc ++ [ name ]) option.type.nestedTypes.elemType definitions;
      in
      {
        value = merged.mergedValue;
        inherit (merged.defsFinal') highestPrio;
      }
    ) byName;
}
