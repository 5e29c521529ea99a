# Lists and attribute sets of other types.
{ lib, core }:
let
  inherit (builtins)
    attrNames
    concatLists
    head
    isAttrs
    isList
    length
    mapAttrs
    ;
  inherit (core)
    addCheck
    checkedBy
    checkedMerge
    elementFunctor
    mkOptionType
    phrase
    ;
  inherit (lib) imap1 types;
  inherit (lib.parts.merge) mergeDefinitions wrongDefinitions;
  inherit (lib.parts) errors;

  of = phrase [
    "noun"
    "composite"
  ];

  # Parts of a type that holds elements of another.
  around = placeholder: make: elemType: {
    getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ placeholder ]);
    inherit (elemType) getSubModules;
    substSubModules = modules: make (elemType.substSubModules modules);
    nestedTypes.elemType = elemType;
  };
in
{
  attrs = mkOptionType {
    name = "attrs";
    description = "attribute set";
    check = isAttrs;
    merge = _: builtins.foldl' (all: definition: all // definition.value) { };
    emptyValue.value = { };
  };

  listOf =
    elemType:
    mkOptionType (
      {
        name = "listOf";
        description = "list of ${of elemType}";
        descriptionClass = "composite";
        check = checkedBy isList;
        merge = checkedMerge (
          { loc, defs }:
          let
            element =
              number: definition: index:
              mergeDefinitions (loc ++ [ "[definition ${toString number}-entry ${toString (index + 1)}]" ]) elemType [
                {
                  inherit (definition) file;
                  value = builtins.elemAt definition.value index;
                }
              ];
            elements = builtins.filter (one: one.isDefined) (
              concatLists (
                imap1 (number: definition: builtins.genList (element number definition) (length definition.value)) defs
              )
            );
          in
          {
            headError = wrongDefinitions isList defs;
            value = map (one: one.mergedValue) elements;
            valueMeta.list = map (one: one.checkedAndMerged.valueMeta) elements;
          }
        );
        emptyValue.value = [ ];
        functor = elementFunctor "listOf" types.listOf elemType;
      }
      // around "*" types.listOf elemType
    );

  nonEmptyListOf =
    elemType:
    let
      type = addCheck (types.listOf elemType) (value: value != [ ]);
    in
    type
    // {
      description = "non-empty ${phrase [ "noun" ] type}";
      emptyValue = { };
      substSubModules = modules: types.nonEmptyListOf (elemType.substSubModules modules);
    };

  attrsOf = elemType: types.attrsWith { inherit elemType; };
  # Names are known without looking at the values; an element whose definitions are all `mkIf false` still is there.
  lazyAttrsOf =
    elemType:
    types.attrsWith {
      inherit elemType;
      lazy = true;
    };
  attrsWith =
    {
      elemType,
      lazy ? false,
      placeholder ? "name",
    }:
    let
      make = elemType: types.attrsWith { inherit elemType lazy placeholder; };
    in
    mkOptionType (
      {
        name = if lazy then "lazyAttrsOf" else "attrsOf";
        description = "${lib.optionalString lazy "lazy "}attribute set of ${of elemType}";
        descriptionClass = "composite";
        check = checkedBy isAttrs;
        merge = checkedMerge (
          { loc, defs }:
          let
            located = map (
              definition:
              mapAttrs (name: value: {
                inherit (definition) file;
                inherit value;
                pos = builtins.unsafeGetAttrPos name definition.value;
              }) definition.value
            ) defs;
            merged = builtins.zipAttrsWith (name: mergeDefinitions (loc ++ [ name ]) elemType) located;
            elements = if lazy then merged else lib.filterAttrs (_: one: one.isDefined) merged;
          in
          {
            headError = wrongDefinitions isAttrs defs;
            # Nothing defined gives the empty value of the element's type, and an error for a type that has none.
            value = mapAttrs (_: one: one.mergedValue) elements;
            valueMeta.attrs = mapAttrs (_: one: one.checkedAndMerged.valueMeta) elements;
          }
        );
        emptyValue.value = { };
        functor = {
          name = "attrsWith";
          type = types.attrsWith;
          payload = { inherit elemType lazy placeholder; };
          binOp =
            mine: theirs:
            let
              element = mine.elemType.typeMerge theirs.elemType.functor;
              isUnnamed = payload: payload.placeholder == "name";
            in
            if
              element == null
              || mine.lazy != theirs.lazy
              || (mine.placeholder != theirs.placeholder && !isUnnamed mine && !isUnnamed theirs)
            then
              null
            else
              {
                elemType = element;
                inherit (mine) lazy;
                placeholder = if isUnnamed mine then theirs.placeholder else mine.placeholder;
              };
        };
      }
      // around "<${placeholder}>" make elemType
    );

  loaOf =
    elemType:
    types.attrsOf elemType
    // {
      name = "loaOf";
      deprecationMessage = "Mixing lists with attribute values is no longer possible; please use `types.attrsOf` instead.";
      nestedTypes.elemType = elemType;
    };

  attrListOf = elemType: types.attrListWith { inherit elemType; };
  # Named values in an order: a list of sets with one attribute each, or a set whose values may carry mkOrder.
  attrListWith =
    {
      elemType,
      asAttrs ? false,
      mergeAttrValues ? _: values: values,
    }:
    let
      description = "attribute list of ${of elemType}";
      make = elemType: types.attrListWith { inherit elemType asAttrs mergeAttrValues; };
      isRight = value: isList value || isAttrs value;
    in
    mkOptionType (
      {
        name = "attrListOf";
        inherit description;
        descriptionClass = "composite";
        check = checkedBy isRight;
        merge = checkedMerge (
          { loc, defs }:
          let
            # Order and priority of a value, whichever is outside; the order is taken off.
            peel =
              value:
              let
                kind = if isAttrs value then value._type or null else null;
                inside = peel value.content;
              in
              # Nothing of the content is looked at before it is needed: it may be overridden.
              if kind == "order" then
                {
                  order = value.priority;
                  inherit (inside) priority value;
                }
              else if kind == "override" then
                {
                  inherit (inside) order;
                  inherit (value) priority;
                  value = lib.mkOverride value.priority inside.value;
                }
              else
                {
                  inherit value;
                  order = lib.defaultOrderPriority;
                  priority = lib.defaultOverridePriority;
                };
            named = file: key: value: peel value // { inherit file key; };
            fromEntry =
              file: entry:
              let
                isOrdered = lib.isType "order" entry;
                content = if isOrdered then entry.content else entry;
                names = attrNames content;
                item = named file (head names) content.${head names};
                wrong =
                  problem:
                  throw "A definition for option `${errors.showOption loc}' is not of type `${description}'. Each list element must be ${problem}.${
                    errors.showDefs [
                      {
                        inherit file;
                        value = entry;
                      }
                    ]
                  }";
              in
              if !isAttrs content then
                wrong "an attribute set, but got ${builtins.typeOf content}"
              else if length names != 1 then
                wrong "a single-key attribute set, but got ${toString (length names)} keys"
              else if isOrdered then
                item // { order = entry.priority; }
              else
                item;
            items = lib.concatMap (
              definition:
              if isList definition.value then
                map (fromEntry definition.file) definition.value
              else
                lib.mapAttrsToList (named definition.file) definition.value
            ) defs;
            # A definition wins over weaker ones of the same key only.
            strongest = mapAttrs (
              _: builtins.foldl' (best: item: lib.min best item.priority) lib.defaultOverridePriority
            ) (builtins.groupBy (item: item.key) items);
            kept = builtins.filter (item: item.priority == strongest.${item.key}) items;
            sorted = builtins.sort (left: right: left.order < right.order) kept;
            merge =
              item: item // { merged = mergeDefinitions (loc ++ [ item.key ]) elemType [ { inherit (item) file value; } ]; };
            elements = builtins.filter (element: element.merged.isDefined) (map merge sorted);
            list = map (element: { ${element.key} = element.merged.mergedValue; }) elements;
          in
          {
            headError = wrongDefinitions isRight defs;
            value = if asAttrs then builtins.zipAttrsWith mergeAttrValues list else list;
            valueMeta = {
              attrList = map (element: element.merged.checkedAndMerged.valueMeta) elements;
              attrListValue = list;
              definitions = map (
                element:
                lib.mkDefinition {
                  inherit (element) file;
                  value = lib.mkOrder element.order { ${element.key} = element.merged.mergedValue; };
                }
              ) elements;
            };
          }
        );
        emptyValue.value = if asAttrs then { } else [ ];
        typeMerge = _: null;
      }
      // around "*" make elemType
    );
}
