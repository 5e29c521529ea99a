# The function that answers, over the `options` of a configuration. `lookup` gives { data; value?; default?; example? }:
# `data` is plain, the others are evaluated one by one because each may fail. Options of submodules are those of an
# instance where the configuration has one, else those of the type.
options:
let
  inherit (builtins) attrNames concatMap elemAt head isAttrs isString length map match substring stringLength tail tryEval;
  isOption = value: isAttrs value && value._type or null == "option";
  attempt = fallback: value: let tried = tryEval value; in if tried.success then tried.value else fallback;
  textOf = value: if value == null then "" else if isString value then value else value.text or "";
  part = name: if name == "*" || match "<.*>|[a-zA-Z_][a-zA-Z0-9_'-]*" name != null then name else builtins.toJSON name;
  show = location: builtins.concatStringsSep "." (map part location);
  typeText = option: attempt "unspecified" (option.type.description or "unspecified");
  description = option: attempt "" (textOf (option.description or null));
  below = option: attempt { } (let found = option.type.getSubOptions option.loc; in if isAttrs found then found else { });

  # Hidden options are left out, and what is below an option that shows itself only.
  walk = location: tree:
    concatMap (
      name:
      let
        value = attempt null tree.${name};
        here = if name == "_freeformOptions" then location else location ++ [ name ];
        visible = attempt false (value.visible or true);
      in
      if name == "_module" || !isAttrs value then
        [ ]
      else if !isOption value then
        walk here value
      else if attempt false (value.internal or false) || visible == false then
        [ ]
      else
        [ { name = show (value.loc or here); description = description value; type = typeText value; } ]
        ++ (if visible == "shallow" then [ ] else walk (value.loc or here) (below value))
    ) (attrNames tree);

  placeholders = location: options:
    let
      first = firstOption options;
      rest = if first == null then [ ] else drop (length location) first.loc;
    in
    length (builtins.filter (name: name == "*" || match "<.*>" name != null) (take1 rest));
  take1 = list: if list == [ ] then [ ] else [ (head list) ];
  drop = count: list: if count == 0 || list == [ ] then list else drop (count - 1) (tail list);
  firstOption = tree:
    builtins.foldl' (found: name: if found != null then found else let value = attempt null tree.${name}; in if isOption value then value else if isAttrs value then firstOption value else null) null (
      builtins.filter (name: name != "_module") (attrNames tree)
    );

  # Where a path leads: { option; instance } or { set; path }, null when nowhere.
  find = tree: path: location: instance:
    if path == [ ] then
      { set = tree; path = location; }
    else if !(tree ? ${head path}) then
      (if tree ? _freeformOptions then find tree._freeformOptions path location instance else null)
    else
      let
        next = tree.${head path};
        rest = tail path;
        here = location ++ [ (head path) ];
      in
      if !isAttrs next then null else if isOption next then inside next rest here instance else find next rest here instance;
  inside = option: path: location: instance:
    if path == [ ] then
      { inherit option instance; path = location; }
    else
      let
        meta = if instance then attempt { } (option.valueMeta or { }) else { };
        direct = attempt null (meta.configuration.options or null);
        element = attempt null (meta.attrs.${head path}.configuration.options or null);
        declared = below option;
        skipped = placeholders option.loc declared;
      in
      if direct != null then
        find direct path location true
      else if element != null then
        (if tail path == [ ] then { set = element; path = location ++ path; } else find element (tail path) (location ++ [ (head path) ]) true)
      else if declared == { } || length path < skipped then
        null
      else if length path == skipped then
        { set = declared; path = location ++ path; }
      else
        find declared (drop skipped path) (location ++ (if skipped == 0 then [ ] else [ (head path) ])) false;

  place = file: position: if file == "<unknown-file>" && position != null then { inherit (position) file line; } else { file = toString file; line = if position != null && position.file or null == toString file then position.line or null else null; };
  declared = option:
    let
      positions = option.declarationPositions or [ ];
    in
    if positions != [ ] then map (position: { file = toString position.file; line = position.line or null; }) positions else map (file: place file null) (option.declarations or [ ]);
  defined = option: map (definition: place definition.file (definition.pos or null)) (attempt [ ] (option.definitionsWithLocations or [ ]));
  literal = value: if isAttrs value && value ? _type && value ? text then { inherit (value) text; } else { inherit value; };

  details = found:
    let
      inherit (found) option;
      type = option.type or { };
      fallback =
        if option ? defaultText then
          { default = literal option.defaultText; }
        else if option ? default then
          { default = literal option.default; }
        else if (type.emptyValue or { }) ? value && type.getSubModules or null == null then
          { default.value = type.emptyValue.value; }
        else
          { };
    in
    {
      data = {
        kind = "option";
        name = show found.path;
        description = description option;
        type = typeText option;
        readOnly = option.readOnly or false;
        declarations = declared option;
        definitions = if found.instance then defined option else [ ];
      };
    }
    // fallback
    // (if option ? example then { example = literal option.example; } else { })
    // (if found.instance && option ? value then { value.value = option.value; } else { });
in
{
  all = walk [ ] options;
  lookup = path:
    let
      found = find options path [ ] true;
    in
    if found == null then
      { data.kind = "missing"; }
    else if found ? option then
      details found
    else
      { data = { kind = "set"; name = show found.path; members = builtins.filter (name: name != "_module" && name != "_freeformOptions") (attrNames found.set); }; };
}
