# Types made of other types: one of several, or changed ones.
{ lib, core }:
let
  inherit (builtins)
    attrNames
    filter
    head
    isAttrs
    length
    ;
  inherit (core)
    checkedBy
    checkedMerge
    defaultFunctor
    elementFunctor
    mkOptionType
    phrase
    ;
  inherit (lib) escapeNixIdentifier types;
  inherit (lib.parts) errors;
  inherit (lib.parts.merge)
    evalOptionValue
    mergeDefinitions
    mergeOptionDecls
    mergeWithType
    wrongDefinitions
    ;

  # A type that passes all questions about submodules on to another.
  through = make: type: {
    inherit (type) getSubOptions getSubModules;
    substSubModules = modules: make (type.substSubModules modules);
  };
in
{
  uniq = types.unique { message = ""; };
  unique =
    { message }:
    type:
    let
      make = types.unique { inherit message; };
    in
    mkOptionType (
      {
        name = "unique";
        inherit (type) description descriptionClass check emptyValue;
        merge = lib.mergeUniqueOption {
          inherit message;
          inherit (type) merge;
        };
        functor = elementFunctor "unique" make type;
        nestedTypes.elemType = type;
      }
      // through make type
    );

  nullOr =
    elemType:
    mkOptionType (
      {
        name = "nullOr";
        description = "null or ${phrase [ "noun" "conjunction" ] elemType}";
        descriptionClass = "conjunction";
        check = value: value == null || elemType.check value;
        merge =
          location: definitions:
          let
            nulls = length (filter (definition: definition.value == null) definitions);
          in
          if nulls == 0 then
            elemType.merge location definitions
          else if nulls == length definitions then
            null
          else
            throw "The option `${errors.showOption location}` is defined both null and not null, in ${errors.showFiles (lib.getFiles definitions)}.";
        emptyValue.value = null;
        functor = elementFunctor "nullOr" types.nullOr elemType;
        nestedTypes.elemType = elemType;
      }
      // through types.nullOr elemType
    );

  functionTo =
    elemType:
    mkOptionType (
      {
        name = "functionTo";
        description = "function that evaluates to a(n) ${phrase [ "noun" "composite" ] elemType}";
        descriptionClass = "composite";
        check = lib.isFunction;
        merge = location: definitions: {
          # An argument is optional when it is so in all definitions.
          __functionArgs = builtins.zipAttrsWith (_: builtins.all lib.id) (map (definition: lib.functionArgs definition.value) definitions);
          __functor =
            _: argument:
            (mergeDefinitions (location ++ [ "<function body>" ]) elemType (
              map (definition: definition // { value = definition.value argument; }) definitions
            )).mergedValue;
        };
        functor = elementFunctor "functionTo" types.functionTo elemType;
        nestedTypes.elemType = elemType;
      }
      // through types.functionTo elemType
      // {
        getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "<function body>" ]);
      }
    );

  # The first of two types that fits all definitions.
  either =
    first: second:
    mkOptionType rec {
      name = "either";
      description =
        if first.descriptionClass or null == "nonRestrictiveClause" then
          "${first.description}, or ${phrase [ "noun" "conjunction" ] second}"
        else
          "${phrase [ "noun" "conjunction" ] first} or ${phrase [ "noun" "conjunction" "composite" ] second}";
      descriptionClass = "conjunction";
      check = checkedBy (value: first.check value || second.check value);
      merge = checkedMerge (
        { loc, defs }:
        let
          one = mergeWithType loc first defs;
          two = mergeWithType loc second defs;
          headError.message = "The option `${errors.showOption loc}` is neither a value of type `${first.description}` nor `${second.description}`, Definition values: ${errors.showDefs defs}";
        in
        if one.headError == null then
          one
        else if two.headError == null then
          two
        else
          {
            inherit headError;
            valueMeta = { inherit headError; };
            value = lib.warn ''
              One or more definitions did not pass the type-check of the 'either' type.
              ${headError.message}
              If `either`, `oneOf` or similar is used in freeformType, ensure that it is preceded by an 'attrsOf' such as: `freeformType = types.attrsOf (types.either t1 t2)`.
            '' (lib.mergeOneOption loc defs);
          }
      );
      typeMerge =
        theirs:
        let
          mergedFirst = first.typeMerge (head theirs.payload.elemType).functor;
          mergedSecond = second.typeMerge (builtins.elemAt theirs.payload.elemType 1).functor;
        in
        if theirs.name == name && mergedFirst != null && mergedSecond != null then
          types.either mergedFirst mergedSecond
        else
          null;
      functor = defaultFunctor name // {
        type = payload: types.either (head payload.elemType) (builtins.elemAt payload.elemType 1);
        payload.elemType = [
          first
          second
        ];
      };
      nestedTypes = {
        left = first;
        right = second;
      };
    };
  oneOf =
    list:
    if list == [ ] then
      throw "types.oneOf needs to get at least one type in its argument"
    else
      builtins.foldl' types.either (head list) (builtins.tail list);

  # Values of `from` are converted by `convert`, then are of `to`.
  coercedTo =
    from: convert: to:
    if from.getSubModules != null then
      throw "coercedTo: coercedType must not have submodules (it’s a ${from.description})"
    else
      let
        check = value: (from.check value && to.check (convert value)) || to.check value;
      in
      mkOptionType (
        {
          name = "coercedTo";
          description = "${phrase [ "noun" ] to} or ${phrase [ "noun" ] from} convertible to it";
          check = checkedBy check;
          merge = checkedMerge (
            { loc, defs }:
            let
              converted =
                definition:
                let
                  fits =
                    if from.merge ? v2 then
                      (mergeWithType loc from [ definition ]).headError == null
                    else
                      from.check definition.value;
                in
                definition // { value = if fits then convert definition.value else definition.value; };
              merged = mergeWithType loc to (map converted defs);
              # Shown as they were written.
              wrong = wrongDefinitions check defs;
            in
            merged // { headError = if merged.headError == null || wrong == null then merged.headError else wrong; }
          );
          inherit (to) emptyValue;
          typeMerge = _: null;
          functor = defaultFunctor "coercedTo";
          nestedTypes = {
            coercedType = from;
            finalType = to;
          };
        }
        // through (types.coercedTo from convert) to
      );

  # A set with exactly one attribute, which is one of the given options.
  attrTag =
    given:
    let
      choices = lib.concatMapStringsSep ", " escapeNixIdentifier (attrNames given);
      position = name: builtins.unsafeGetAttrPos name given;
      showPosition =
        name:
        let
          at = position name;
        in
        lib.optionalString (at != null) " at ${at.file}:${toString at.line}:${toString at.column}";
      checkTag =
        name: option:
        let
          kind = option._type or null;
          label = "In attrTag, each tag value must be an option, but tag ${escapeNixIdentifier name}";
          known = position name;
        in
        builtins.addErrorContext "while checking that attrTag tag ${escapeNixIdentifier name} is an option with a type${showPosition name}" (
          if kind == "option" then
            {
              declarations = lib.optional (known != null) known.file;
              declarationPositions = lib.optional (known != null) known;
            }
            // option
          else if kind == "option-type" then
            throw "${label} was a bare type, not wrapped in mkOption."
          else if kind != null then
            throw "${label} was of type ${lib.escapeNixString kind}."
          else
            throw "${label} was not."
        );
      tags = builtins.mapAttrs checkTag given;
      asDeclaration = option: {
        options = option;
        _file = "<attrTag {...}>";
        pos = null;
      };
      mergeTag =
        name: mine: theirs:
        mergeOptionDecls [ name ] [ (asDeclaration mine) (asDeclaration theirs) ]
        // {
          declarations = mine.declarations ++ theirs.declarations;
          declarationPositions = mine.declarationPositions ++ theirs.declarationPositions;
        };
    in
    mkOptionType {
      name = "attrTag";
      description = "attribute-tagged union with choices: ${choices}";
      descriptionClass = "noun";
      getSubOptions = prefix: builtins.mapAttrs (name: option: option // { loc = prefix ++ [ name ]; }) tags;
      check = value: isAttrs value && length (attrNames value) == 1 && tags ? ${head (attrNames value)};
      merge =
        location: definitions:
        let
          tagOf = definition: head (attrNames definition.value);
          tag = tagOf (head definitions);
          inside =
            definition:
            if tagOf definition == tag then
              {
                inherit (definition) file;
                value = definition.value.${tag};
                pos = builtins.unsafeGetAttrPos tag definition.value;
              }
            else
              throw "The option `${errors.showOption location}` is defined both as `${tag}` and `${tagOf definition}`, in ${errors.showFiles (lib.getFiles definitions)}.";
        in
        if tags ? ${tag} then
          { ${tag} = (evalOptionValue (location ++ [ tag ]) tags.${tag} (map inside definitions)).value; }
        else
          throw "The option `${errors.showOption location}` is defined as ${escapeNixIdentifier tag}, but ${escapeNixIdentifier tag} is not among the valid choices (${choices}). Value ${tag} was defined in ${errors.showFiles (lib.getFiles definitions)}.";
      nestedTypes = tags;
      functor = defaultFunctor "attrTag" // {
        type = payload: types.attrTag payload.tags;
        payload = { inherit tags; };
        binOp = mine: theirs: {
          tags =
            mine.tags
            // theirs.tags
            // builtins.mapAttrs (name: mergeTag name mine.tags.${name}) (builtins.intersectAttrs mine.tags theirs.tags);
        };
      };
    };

  # Values that a serialisation format can hold.
  serializableValueWith =
    {
      typeName,
      nullable ? true,
    }:
    let
      base = types.oneOf [
        types.bool
        types.int
        types.float
        types.str
        types.path
        (types.attrsOf value)
        (types.listOf value)
      ];
      value = (if nullable then types.nullOr base else base) // { description = "${typeName} value"; };
    in
    value;
  json = types.serializableValueWith { typeName = "JSON"; };
  toml = types.serializableValueWith {
    typeName = "TOML";
    nullable = false;
  };
}
