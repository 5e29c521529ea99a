# Attribute sets.
{ lib }:
let
  inherit (builtins)
    attrNames
    attrValues
    isAttrs
    listToAttrs
    length
    elemAt
    head
    ;
in
rec {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    intersectAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    unsafeGetAttrPos
    ;

  nameValuePair = name: value: { inherit name value; };
  optionalAttrs = condition: attrs: if condition then attrs else { };
  mapAttrs' = function: attrs: listToAttrs (mapAttrsToList function attrs);
  mapAttrsToList = function: attrs: attrValues (builtins.mapAttrs function attrs);
  attrsToList = mapAttrsToList nameValuePair;
  concatMapAttrs = function: attrs: builtins.foldl' (all: one: all // one) { } (mapAttrsToList function attrs);
  mergeAttrs = left: right: left // right;
  mergeAttrsList = builtins.foldl' mergeAttrs { };
  genAttrs = names: value: genAttrs' names (name: nameValuePair name (value name));
  genAttrs' = names: pair: listToAttrs (map pair names);
  filterAttrs = keep: attrs: removeAttrs attrs (builtins.filter (name: !keep name attrs.${name}) (attrNames attrs));
  getAttrs = names: attrs: genAttrs names (name: attrs.${name});
  attrVals = names: attrs: map (name: attrs.${name}) names;
  foldlAttrs =
    function: start: attrs: builtins.foldl' (all: name: function all name attrs.${name}) start (attrNames attrs);
  foldAttrs =
    function: start: sets:
    builtins.mapAttrs (_: lib.foldr function start) (zipAttrs sets);
  zipAttrs = builtins.zipAttrsWith (_: values: values);
  zipAttrsWithNames = names: function: sets: genAttrs names (name: function name (builtins.catAttrs name sets));
  invertAttrs = mapAttrs' (name: value: nameValuePair value name);
  cartesianProduct =
    attrs:
    let
      extend = name: product: map (value: product // { ${name} = value; }) attrs.${name};
    in
    builtins.foldl' (products: name: builtins.concatMap (extend name) products) [ { } ] (attrNames attrs);
  mapCartesianProduct = function: attrs: map function (cartesianProduct attrs);

  attrByPath =
    path: default: attrs:
    let
      go =
        index: value:
        if index == length path then
          value
        else if value ? ${elemAt path index} then
          go (index + 1) value.${elemAt path index}
        else
          default;
    in
    go 0 attrs;
  hasAttrByPath =
    path: attrs:
    let
      go =
        index: value:
        index == length path || (value ? ${elemAt path index} && go (index + 1) value.${elemAt path index});
    in
    go 0 attrs;
  getAttrFromPath =
    path: attrs: attrByPath path (abort ("cannot find attribute '" + lib.concatStringsSep "." path + "'")) attrs;
  setAttrByPath =
    path: value:
    let
      go = index: if index == length path then value else { ${elemAt path index} = go (index + 1); };
    in
    go 0;
  updateManyAttrsByPath =
    updates: attrs:
    let
      change =
        all:
        { path, update }:
        recursiveUpdateUntil (at: _: _: at == path) all (setAttrByPath path (update (attrByPath path null all)));
    in
    builtins.foldl' change attrs updates;

  recursiveUpdateUntil =
    stop: left: right:
    let
      merge =
        path:
        builtins.zipAttrsWith (
          name: values:
          let
            here = path ++ [ name ];
          in
          if length values == 1 || stop here (elemAt values 1) (head values) then head values else merge here values
        );
    in
    merge [ ] [ right left ];
  recursiveUpdate =
    left: right:
    if left == { } then
      right
    else
      left
      // builtins.mapAttrs (
        name: value:
        if left ? ${name} && isAttrs left.${name} && isAttrs value then
          recursiveUpdate left.${name} value
        else
          value
      ) right;
  matchAttrs =
    pattern: attrs:
    let
      fits =
        wanted: value: if isAttrs wanted then isAttrs value && matchAttrs wanted value else wanted == value;
    in
    builtins.all (name: attrs ? ${name} && fits pattern.${name} attrs.${name}) (attrNames pattern);

  mapAttrsRecursive = mapAttrsRecursiveCond (_: true);
  mapAttrsRecursiveCond =
    enter: function:
    let
      go =
        path:
        builtins.mapAttrs (name: value: if isAttrs value && enter value then go (path ++ [ name ]) value else function (path ++ [ name ]) value);
    in
    go [ ];
  mapAttrsToListRecursive = function: attrs: mapAttrsToListRecursiveCond (_: _: true) function attrs;
  mapAttrsToListRecursiveCond =
    enter: function: attrs:
    let
      go =
        path: value:
        if isAttrs value && enter path value then
          builtins.concatMap (name: go (path ++ [ name ]) value.${name}) (attrNames value)
        else
          [ (function path value) ];
    in
    builtins.concatMap (name: go [ name ] attrs.${name}) (attrNames attrs);
  filterAttrsRecursive =
    keep: attrs: builtins.mapAttrs (_: value: if isAttrs value then filterAttrsRecursive keep value else value) (filterAttrs keep attrs);
  collect =
    test: attrs:
    if test attrs then
      [ attrs ]
    else if isAttrs attrs then
      builtins.concatMap (collect test) (attrValues attrs)
    else
      [ ];
  recurseIntoAttrs = attrs: attrs // { recurseForDerivations = true; };
  dontRecurseIntoAttrs = attrs: attrs // { recurseForDerivations = false; };
  showAttrPath =
    path:
    if path == [ ] then
      "<root attribute path>"
    else
      lib.concatMapStringsSep "." lib.escapeNixIdentifier path;
}
