# Values as text: Nix expressions for people (toPretty), and the small configuration formats.
{ lib }:
let
  inherit (builtins)
    attrNames
    isAttrs
    isBool
    isFloat
    isInt
    isList
    isPath
    isString
    ;
  inherit (lib) concatMapStringsSep concatStringsSep escapeNixIdentifier;

  showString =
    { multiline, inner, outer }:
    text:
    let
      # Not lib.splitString: lines of a text do not depend on what it refers to, as in nixpkgs.
      lines = builtins.filter isString (builtins.split "\n" text);
      folded = map (builtins.replaceStrings [ "\${" "''" ] [ "''\${" "'''" ]) lines;
      closing = lib.last folded;
    in
    if multiline && builtins.length lines > 1 then
      "''${inner}${concatStringsSep inner (lib.init folded)}${if closing == "" then outer else inner + closing}''"
    else
      "\"${concatMapStringsSep "\\n" (lib.escape [ "\\" "\"" "\${" ]) lines}\"";

  showFunction =
    function:
    let
      arguments = lib.functionArgs function;
      shown = map (name: name + (if arguments.${name} then "?" else "")) (attrNames arguments);
    in
    if arguments == { } then "<function>" else "<function, args: {${concatStringsSep ", " shown}}>";

  # `depth` is how many more levels are opened; null is without end.
  pretty =
    options@{ allowPrettyValues, multiline }:
    let
      show =
        depth: indent: value:
        let
          inner = if multiline then "\n${indent}  " else " ";
          outer = if multiline then "\n${indent}" else " ";
          below = if depth == null then null else depth - 1;
          element = show below (indent + "  ");
          attribute =
            name:
            let
              text = builtins.addErrorContext "while evaluating an attribute `${name}`" (element value.${name});
            in
            "${escapeNixIdentifier name} = ${text};";
        in
        if depth != null && depth < 0 then
          if isAttrs value then
            "{ ... }"
          else if isList value then
            "[ ... ]"
          else
            "\"<unevaluated>\""
        else if isInt value then
          toString value
        else if isFloat value then
          builtins.toJSON value
        else if isString value then
          showString { inherit multiline inner outer; } value
        else if isBool value then
          lib.boolToString value
        else if value == null then
          "null"
        else if isPath value then
          toString value
        else if isList value then
          if value == [ ] then "[ ]" else "[${inner}${concatMapStringsSep inner element value}${outer}]"
        else if lib.isFunction value then
          showFunction value
        else if isAttrs value then
          if allowPrettyValues && value ? __pretty && value ? val then
            value.__pretty value.val
          else if value == { } then
            "{ }"
          else if lib.isDerivation value then
            "<derivation ${value.name or "???"}>"
          else
            "{${inner}${concatMapStringsSep inner attribute (attrNames value)}${outer}}"
        else
          "<${builtins.typeOf value}>";
    in
    show;
in
rec {
  toPretty =
    {
      allowPrettyValues ? false,
      multiline ? true,
      indent ? "",
    }:
    pretty { inherit allowPrettyValues multiline; } null indent;

  # The same for error messages: nothing below ten levels is evaluated.
  toPrettyLimited = pretty { allowPrettyValues = false; multiline = true; } 10 "";

  toJSON = { }: builtins.toJSON;
  toYAML = toJSON;

  mkValueStringDefault =
    { }:
    value:
    if value == true then
      "true"
    else if value == false then
      "false"
    else if value == null then
      "null"
    else if isInt value || isFloat value || isString value || isPath value || lib.isDerivation value then
      toString value
    else
      throw "generators.mkValueStringDefault: this value is not supported: ${toPretty { } value}";
  mkKeyValueDefault =
    {
      mkValueString ? mkValueStringDefault { },
    }:
    separator: key: value:
    "${lib.escape [ separator ] key}${separator}${mkValueString value}";
  toKeyValue =
    {
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
      indent ? "",
    }:
    let
      line = name: value: "${indent}${mkKeyValue name value}\n";
      lines = name: value: if listsAsDuplicateKeys then map (line name) (lib.toList value) else [ (line name value) ];
    in
    attrs: lib.concatStrings (lib.concatLists (lib.mapAttrsToList lines attrs));
  toINI =
    {
      mkSectionName ? lib.escape [ "[" "]" ],
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
    }:
    sections:
    concatStringsSep "\n" (
      lib.mapAttrsToList (name: values: "[${mkSectionName name}]\n${toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } values}") sections
    );
  toINIWithGlobalSection =
    options:
    {
      globalSection,
      sections ? { },
    }:
    (if globalSection == { } then "" else toKeyValue (removeAttrs options [ "mkSectionName" ]) globalSection + "\n") + toINI options sections;

  # A text that a generator of Lua takes over as it is.
  mkLuaInline = expr: {
    _type = "lua-inline";
    inherit expr;
  };

  # Options of a program: { v = true; f = "x"; long = [ 1 2 ]; } is [ "-f" "x" "--long" "1" "--long" "2" "-v" ].
  toGNUCommandLine =
    {
      mkOptionName ? name: if builtins.stringLength name == 1 then "-${name}" else "--${name}",
      mkBool ? name: value: lib.optional value (mkOptionName name),
      mkList ? name: values: lib.concatMap (mkOption name) values,
      mkOption ?
        name: value:
        if value == null then
          [ ]
        else if optionValueSeparator == null then
          [
            (mkOptionName name)
            (mkValueStringDefault { } value)
          ]
        else
          [ "${mkOptionName name}${optionValueSeparator}${mkValueStringDefault { } value}" ],
      optionValueSeparator ? null,
    }:
    options:
    let
      render =
        name: value:
        if isBool value then
          mkBool name value
        else if isList value then
          mkList name value
        else
          mkOption name value;
    in
    lib.concatLists (lib.mapAttrsToList render options);
  toGNUCommandLineShell = format: options: lib.escapeShellArgs (toGNUCommandLine format options);
}
