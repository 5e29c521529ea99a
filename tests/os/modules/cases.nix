# All cases of one topic over a library, as data: what each one gives, or that it fails. Functions are shown as "<function>".
{ lib, topic }:
let
  inherit (builtins) isAttrs isFunction isList;
  structure = [ "_class" "_file" "disabledModules" "freeformType" "imports" "key" "options" "require" ];
  # Cases may write options and definitions into one set; here these go below `config`.
  separate =
    module:
    if isAttrs module && module ? options && !(module ? config) && !(module ? _type) then
      removeAttrs module (builtins.filter (name: !(builtins.elem name structure)) (builtins.attrNames module))
      // {
        config = removeAttrs module structure;
      }
    else
      module;
  evaluate = modules: lib.evalModules { modules = map separate modules; };
  cases = import topic {
    inherit lib evaluate;
    config = modules: (evaluate (if isList modules then modules else [ modules ])).config;
  };
  plain =
    value:
    if isFunction value then
      "<function>"
    else if isList value then
      map plain value
    else if isAttrs value && value.type or null == "derivation" then
      "<package ${value.name}>"
    else if isAttrs value then
      builtins.mapAttrs (_: plain) (removeAttrs value [ "__toString" "outPath" ])
    else if builtins.isPath value then
      toString value
    else
      value;
  answer =
    value:
    let
      tried = builtins.tryEval (builtins.deepSeq (plain value) (plain value));
    in
    if tried.success then { inherit (tried) value; } else "fails";
in
builtins.mapAttrs (_: answer) cases
