# Properties of definitions (mkIf, mkMerge, mkOverride, mkOrder, mkDefinition) and how they are resolved.
{ lib }:
let
  inherit (builtins)
    concatMap
    filter
    head
    isAttrs
    length
    ;

  kindOf = value: if isAttrs value then value._type or null else null;
in
rec {
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkAssert = assertion: message: mkIf (if assertion then true else throw "\nFailed assertion: ${message}");
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  mkDefinition = definition@{ file, value, ... }: definition // { _type = "definition"; };

  defaultOverridePriority = 100;
  defaultOrderPriority = 1000;
  mkOptionDefault = mkOverride 1500;
  mkDefault = mkOverride 1000;
  mkImageMediaOverride = mkOverride 60;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;
  mkFixStrictness = lib.id;

  # All definitions of an option with their properties resolved: those of the highest priority (the smallest number), in
  # order. A value that a stronger one overrides is not evaluated, so what is inside an override is opened only once it
  # has won; when all of that is off (mkForce (mkIf false ...)), the next priority counts.
  resolveDefinitions =
    definitions:
    let
      # What nearly all options have is found without opening anything: plain definitions, a default, or both.
      first = head definitions;
      rest = builtins.tail definitions;
      isPlain = definition: withContext definition (kindOf definition.value == null);
      firstKind = withContext first (if isAttrs first.value then first.value._type or null else null);
      isRestPlain = builtins.all isPlain rest;

      open =
        properties@{ isInside, order }:
        definition:
        let
          inherit (definition) value;
          kind = kindOf value;
          inside = content: definition // { value = content; };
          entry = { inherit order definition; };
        in
        if kind == "merge" then
          concatMap (content: open properties (inside content)) value.contents
        else if kind == "if" then
          if !(builtins.isBool value.condition) then
            throw "‘mkIf’ called with a non-Boolean condition"
          else if value.condition then
            open properties (inside value.content)
          else
            [ ]
        else if kind == "definition" then
          open properties (removeAttrs value [ "_type" ])
        else if kind == "override" && isInside && order == null then
          open properties (inside value.content)
        else
          [ entry ];
      withContext = definition: builtins.addErrorContext "while evaluating definitions from `${definition.file}':";

      outer = concatMap (
        definition:
        withContext definition (open {
          isInside = false;
          order = null;
        } definition)
      ) definitions;
      priorityOf =
        entry:
        if kindOf entry.definition.value == "override" then
          entry.definition.value.priority
        else
          defaultOverridePriority;
      contentOf = entry: entry.definition // { value = entry.definition.value.content; };
      # The content of a winner: overrides inside one are weaker than it, an order says where its values go.
      openWinner =
        entry:
        let
          kind = kindOf entry.definition.value;
        in
        if kind == "override" then
          concatMap openWinner (open { isInside = true; inherit (entry) order; } (contentOf entry))
        else if kind == "order" then
          concatMap openOrdered (open { isInside = false; order = entry.definition.value.priority; } (contentOf entry))
        else
          [ entry ];
      openOrdered =
        entry:
        if kindOf entry.definition.value == "override" then
          throw "In `${entry.definition.file}': mkOverride (mkForce, mkDefault) must be around mkOrder (mkBefore, mkAfter), not inside it."
        else
          [ entry ];
      pick =
        entries:
        let
          highest = builtins.foldl' (best: entry: lib.min best (priorityOf entry)) 9999 entries;
          parts = builtins.partition (entry: priorityOf entry == highest) entries;
          winners = concatMap (entry: withContext entry.definition (openWinner entry)) parts.right;
        in
        if parts.wrong != [ ] && winners == [ ] then pick parts.wrong else { inherit highest winners; };
      picked = pick outer;
      orderOf = entry: if entry.order == null then defaultOrderPriority else entry.order;
      ordered =
        if builtins.any (entry: entry.order != null) picked.winners then
          builtins.sort (left: right: orderOf left < orderOf right) picked.winners
        else
          picked.winners;
    in
    if definitions == [ ] then
      {
        values = [ ];
        highestPrio = 9999;
      }
    else if firstKind == null && isRestPlain then
      {
        values = definitions;
        highestPrio = defaultOverridePriority;
      }
    else if firstKind == "override" && rest == [ ] && withContext first (kindOf first.value.content == null) then
      {
        values = [ (first // { value = first.value.content; }) ];
        highestPrio = first.value.priority;
      }
    else if firstKind == "override" && rest != [ ] && isRestPlain && first.value.priority > defaultOverridePriority then
      {
        values = rest;
        highestPrio = defaultOverridePriority;
      }
    else
      {
        values = map (entry: entry.definition) ordered;
        highestPrio = picked.highest;
      };

  # A definition of a set of options, opened to plain attribute sets, so that conditions move down to the values:
  # { file, pos, attrs, wrap }, where `wrap` puts the properties passed on the way around a value.
  openSets =
    let
      go =
        wrap: definition:
        let
          inherit (definition) value;
          kind = kindOf value;
          inside = content: definition // { value = content; };
        in
        if kind == "merge" then
          concatMap (content: go wrap (inside content)) value.contents
        else if kind == "if" then
          go (inner: wrapBy wrap (mkIf value.condition inner)) (inside value.content)
        else if kind == "override" then
          go (inner: wrapBy wrap (mkOverride value.priority inner)) (inside value.content)
        else
          [
            {
              inherit (definition) file;
              pos = definition.pos or null;
              attrs = value;
              inherit wrap;
            }
          ];
      wrapBy = wrap: value: if wrap == null then value else wrap value;
    in
    go null;

  # The definition of one attribute of an opened set.
  definitionOf =
    set: name: value:
    {
      inherit (set) file;
      value = if set.wrap == null then value else set.wrap value;
      pos = builtins.unsafeGetAttrPos name set.attrs;
    };

  # Changes the values inside all properties of a definition.
  mapDefinitionValue =
    function: value:
    let
      kind = kindOf value;
    in
    if kind == "merge" then
      value // { contents = map (mapDefinitionValue function) value.contents; }
    else if kind == "if" || kind == "override" || kind == "order" then
      value // { content = mapDefinitionValue function value.content; }
    else if kind == "definition" then
      value // { value = mapDefinitionValue function value.value; }
    else
      function value;
}
