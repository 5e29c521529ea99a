# What a type is, how two declarations of one are merged, and how a type is named inside the description of another.
{ lib }:
let
  inherit (lib.parts.merge) mergeWithType wrongDefinitions;
in
rec {
  isOptionType = lib.isType "option-type";

  # Two declarations of one option merge when their functors have the same name: `type` makes a type of the payload that
  # `binOp` makes of both, or of nothing when there is no payload. null says that they do not merge.
  defaultFunctor = name: {
    inherit name;
    type = lib.types.${name} or null;
    payload = null;
    binOp = _: _: null;
  };

  defaultTypeMerge =
    mine: theirs:
    if mine.name != theirs.name then
      null
    else if mine.payload == null && theirs.payload == null then
      mine.type
    else
      let
        payload = mine.binOp mine.payload theirs.payload;
      in
      if payload == null then null else mine.type payload;

  # The functor of a type around another one.
  elementFunctor = name: type: elemType: {
    inherit name;
    type = payload: type payload.elemType;
    payload = { inherit elemType; };
    binOp =
      mine: theirs:
      let
        merged = mine.elemType.typeMerge theirs.elemType.functor;
      in
      if merged == null then null else { elemType = merged; };
  };

  mkOptionType =
    {
      name,
      description ? null,
      # "noun", "conjunction", "composite" or "nonRestrictiveClause": where the description needs parentheses.
      descriptionClass ? null,
      check ? _: true,
      merge ? lib.mergeDefaultOption,
      # { value } when the type has a value for "nothing defined".
      emptyValue ? { },
      getSubOptions ? _: { },
      getSubModules ? null,
      substSubModules ? _: null,
      functor ? defaultFunctor name,
      typeMerge ? defaultTypeMerge functor,
      deprecationMessage ? null,
      nestedTypes ? { },
    }:
    {
      _type = "option-type";
      description = if description == null then name else description;
      inherit
        name
        descriptionClass
        check
        merge
        emptyValue
        getSubOptions
        getSubModules
        substSubModules
        functor
        typeMerge
        deprecationMessage
        nestedTypes
        ;
    };

  mergeTypes =
    left: right:
    assert isOptionType left && isOptionType right;
    let
      merged = left.typeMerge right.functor;
    in
    if merged == null then lib.setType "merge-error" { error = "Cannot merge types"; } else merged;

  optionDescriptionPhrase =
    isPlain: type:
    if isPlain (type.descriptionClass or null) then
      type.description
    else
      "(${type.description})";
  # `phrase [ "noun" ] type`: parentheses unless the type's description is of one of these classes.
  phrase = classes: optionDescriptionPhrase (class: builtins.elem class classes);

  # A type that checks and merges in one: `both` takes { loc, defs }, gives { headError, value, valueMeta }.
  checkedMerge = both: {
    __functor =
      self: loc: defs:
      (self.v2 { inherit loc defs; }).value;
    v2 = both;
  };
  checkedBy = check: {
    __functor = _: check;
    isV2MergeCoherent = true;
  };

  # `type` with another condition on each definition.
  addCheck =
    type: condition:
    let
      check = value: type.check value && condition value;
    in
    if type.merge ? v2 then
      type
      // {
        check = checkedBy check;
        merge = checkedMerge (
          { loc, defs }:
          let
            merged = mergeWithType loc type defs;
          in
          merged // { headError = if merged.headError != null then merged.headError else wrongDefinitions condition defs; }
        );
      }
    else
      type // { inherit check; };
}
