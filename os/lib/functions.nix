# Functions about functions, numbers, files and warnings.
{ lib }:
let
  inherit (builtins) isAttrs;
in
rec {
  inherit (builtins)
    isInt
    isFloat
    isBool
    isString
    isList
    isAttrs
    isPath
    isNull
    typeOf
    seq
    deepSeq
    genericClosure
    bitAnd
    bitOr
    bitXor
    lessThan
    readFile
    pathExists
    readDir
    fromJSON
    toJSON
    tryEval
    trace
    addErrorContext
    add
    sub
    mul
    div
    ceil
    floor
    baseNameOf
    dirOf
    fromTOML
    getContext
    hashFile
    hashString
    placeholder
    splitVersion
    toFile
    toString
    toXML
    ;

  id = value: value;
  const = value: _: value;
  flip = function: first: second: function second first;
  pipe = builtins.foldl' (value: function: function value);
  compose = outer: inner: value: outer (inner value);
  fix = function: let result = function result; in result;
  extends = overlay: base: final: let previous = base final; in previous // overlay final previous;
  composeExtensions = first: second: final: previous:
    let
      one = first final previous;
    in
    one // second final (previous // one);
  composeManyExtensions = builtins.foldl' composeExtensions (_: _: { });

  # Sets with __functor count as functions, as in nixpkgs.
  isFunction =
    value: builtins.isFunction value || (isAttrs value && value ? __functor && isFunction (value.__functor value));
  functionArgs =
    function:
    if isAttrs function && function ? __functor then
      function.__functionArgs or (functionArgs (function.__functor function))
    else
      builtins.functionArgs function;
  setFunctionArgs = function: arguments: {
    __functor = _: function;
    __functionArgs = arguments;
  };
  toFunction = value: if isFunction value then value else _: value;

  "or" = left: right: left || right;
  and = left: right: left && right;
  xor = left: right: left != right;
  boolToString = value: if value then "true" else "false";
  boolToYesNo = value: if value then "yes" else "no";
  min = left: right: if left < right then left else right;
  max = left: right: if left > right then left else right;
  mod = dividend: divisor: dividend - divisor * (builtins.div dividend divisor);
  compare = left: right: if left < right then -1 else if left > right then 1 else 0;

  toHexString =
    number:
    let
      digits =
        value:
        (if value < 16 then "" else digits (value / 16)) + builtins.substring (mod value 16) 1 "0123456789ABCDEF";
    in
    digits number;

  warn = builtins.warn or (message: builtins.trace "evaluation warning: ${message}");
  warnIf = condition: message: if condition then warn message else id;
  warnIfNot = condition: warnIf (!condition);
  throwIf = condition: message: if condition then throw message else id;
  throwIfNot = condition: throwIf (!condition);
  assertMsg = condition: message: if condition then true else builtins.trace message false;
  assertOneOf =
    name: value: allowed:
    assertMsg (builtins.elem value allowed) "${name} must be one of ${lib.generators.toPretty { } allowed}, but is: ${lib.generators.toPretty { } value}";
  # A rename warns when the release that has it is out for long enough; all of them are here.
  oldestSupportedReleaseIsAtLeast = _: true;
  checkListOfEnum =
    message: allowed: values:
    let
      bad = builtins.filter (value: !builtins.elem value allowed) values;
    in
    throwIfNot (bad == [ ]) "${message}: ${toString bad} unexpected; valid ones: ${toString allowed}";

  concat = left: right: left ++ right;
  defaultTo = default: value: if value == null then default else value;
  mapNullable = function: value: if value == null then null else function value;
  makeExtensible = base: fix (final: base final // { extend = overlay: makeExtensible (extends overlay base); });
  traceIf = condition: message: value: if condition then builtins.trace message value else value;
  traceVal = traceValFn id;
  traceValFn = function: value: builtins.trace (function value) value;
  traceSeq = shown: value: builtins.trace (builtins.deepSeq shown shown) value;
  traceValSeq = value: traceVal (builtins.deepSeq value value);

  importJSON = file: builtins.fromJSON (builtins.readFile file);
  importTOML = file: fromTOML (builtins.readFile file);

  isType = name: value: isAttrs value && (value._type or "") == name;
  setType = name: value: value // { _type = name; };
}
