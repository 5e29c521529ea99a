# Names of options below places, with placeholders as `*`. Options inside others' types are included.
{ lib, options, places }:
let
  inherit (builtins) attrNames concatMap foldl' isAttrs tryEval;
  attempt = fallback: value: let tried = tryEval value; in if tried.success then tried.value else fallback;
  isOption = value: isAttrs value && value._type or null == "option";
  below = option: attempt { } (let found = option.type.getSubOptions [ ]; in if isAttrs found then found else { });
  part = name: if name == "*" || builtins.match "<.*>" name != null then "*" else name;

  walk =
    location: tree:
    concatMap (
      name:
      let
        value = attempt null tree.${name};
        here = location ++ (if name == "_freeformOptions" then [ ] else [ (part name) ]);
      in
      if name == "_module" || !isAttrs value then
        [ ]
      else if !isOption value then
        walk here value
      else if attempt false (value.visible or true) == false then
        [ ]
      # What NixOS calls internal is shown where it has options of its own.
      else if attempt false (value.internal or false) then
        walk here (below value)
      else
        [ (builtins.concatStringsSep "." here) ] ++ walk here (below value)
    ) (attrNames tree);

  # Options of submodules are reached by their type.
  find =
    path: tree:
    foldl' (
      found: name:
      let
        next = if found == null then null else found.${name} or null;
      in
      if isOption next then below next else next
    ) tree path;
in
lib.genAttrs places (
  place:
  let
    found = find (lib.splitString "." place) options;
  in
  if found == null then [ ] else walk [ ] found
)
