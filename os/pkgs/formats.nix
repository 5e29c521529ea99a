# Formats of configuration files with nixpkgs' names: of each the type of its values, and a function that writes a file of one.
{ lib, trivial }:
let
  inherit (builtins) isAttrs isBool isList isString;
  inherit (lib) generators types;
  inherit (trivial) writeText;

  serializable =
    description:
    let
      value =
        types.nullOr (types.oneOf [ types.bool types.int types.float types.str types.path (types.attrsOf value) (types.listOf value) ])
        // {
          inherit description;
        };
    in
    value;
  # Each text of JSON is one of YAML.
  ofJSON = description: { }: {
    type = serializable description;
    generate = name: value: writeText name (builtins.toJSON value);
  };

  atom = types.nullOr (types.oneOf [ types.bool types.int types.float types.str ]) // {
    description = "INI atom (null, bool, int, float or string)";
  };
  atomOf =
    {
      listsAsDuplicateKeys ? false,
      listToValue ? null,
      atomsCoercedToLists ? false,
      ...
    }:
    let
      or' = if atomsCoercedToLists == true then types.coercedTo atom lib.singleton else types.either atom;
    in
    if listsAsDuplicateKeys then
      or' (types.listOf atom)
    else if listToValue != null then
      or' (types.nonEmptyListOf atom)
    else
      atom;
  flat = { listToValue ? null, ... }: builtins.mapAttrs (_: value: if listToValue != null && isList value then listToValue value else value);
  # The options of lib.generators among those of a format.
  printing = arguments: removeAttrs arguments [ "listToValue" "atomsCoercedToLists" ];

  ini = arguments: {
    type = types.attrsOf (types.attrsOf (atomOf arguments));
    lib.types.atom = atomOf arguments;
    generate =
      name: value: writeText name (generators.toINI (printing arguments) (builtins.mapAttrs (_: flat arguments) value));
  };

  tomlKey = name: if builtins.match "[A-Za-z0-9_-]+" name != null then name else builtins.toJSON name;
  isTable = value: isAttrs value && !lib.isDerivation value;
  isTables = value: isList value && value != [ ] && builtins.all isTable value;
  tomlValue =
    value:
    if isBool value then
      lib.boolToString value
    else if isList value then
      "[${lib.concatMapStringsSep ", " tomlValue value}]"
    else if isTable value then
      "{ ${lib.concatStringsSep ", " (lib.mapAttrsToList (name: inner: "${tomlKey name} = ${tomlValue inner}") (lib.filterAttrs (_: inner: inner != null) value))} }"
    else if isString value || builtins.isPath value || isAttrs value then
      builtins.toJSON "${value}"
    else
      builtins.toJSON value;
  # The values of a table, then the tables in it under their full names.
  tomlTable =
    path: table:
    let
      set = lib.filterAttrs (_: value: value != null) table;
      inner = lib.filterAttrs (_: value: isTable value || isTables value) set;
      below = name: path ++ [ (tomlKey name) ];
      header = name: lib.concatStringsSep "." (below name);
    in
    lib.concatStrings (
      lib.mapAttrsToList (name: value: "${tomlKey name} = ${tomlValue value}\n") (removeAttrs set (builtins.attrNames inner))
      ++ lib.mapAttrsToList (
        name: value:
        if isList value then
          lib.concatMapStrings (one: "\n[[${header name}]]\n${tomlTable (below name) one}") value
        else
          "\n[${header name}]\n${tomlTable (below name) value}"
      ) inner
    );
in
{
  json = ofJSON "JSON value";
  yaml = ofJSON "YAML value";
  yaml_1_1 = ofJSON "YAML 1.1 value";
  yaml_1_2 = ofJSON "YAML 1.2 value";
  inherit ini;
  iniWithGlobalSection = arguments: {
    type = types.submodule {
      options = {
        sections = lib.mkOption {
          type = types.attrsOf (types.attrsOf (atomOf arguments));
          default = { };
          description = "The sections.";
        };
        globalSection = lib.mkOption {
          type = types.attrsOf (atomOf arguments);
          default = { };
          description = "What comes before all sections.";
        };
      };
    };
    lib.types.atom = atomOf arguments;
    generate =
      name:
      { sections ? { }, globalSection ? { }, ... }:
      writeText name (
        generators.toINIWithGlobalSection (printing arguments) {
          globalSection = flat arguments globalSection;
          sections = builtins.mapAttrs (_: flat arguments) sections;
        }
      );
  };
  # Null sets nothing.
  systemd =
    { }:
    ini {
      listsAsDuplicateKeys = true;
      mkKeyValue = key: value: if value == null then "# ${key} is unset" else "${key} = ${generators.mkValueStringDefault { } value}";
    };
  keyValue = arguments: {
    type = types.attrsOf (atomOf arguments);
    lib.types.atom = atomOf arguments;
    generate = name: value: writeText name (generators.toKeyValue (printing arguments) (flat arguments value));
  };
  toml = { }: {
    type = serializable "TOML value";
    generate = name: value: writeText name (tomlTable [ ] value);
  };
}
