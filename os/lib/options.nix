# Declaring options, and merge functions for types.
{ lib }:
let
  inherit (builtins)
    all
    head
    isAttrs
    isBool
    isInt
    isList
    isString
    length
    ;
  inherit (lib.parts) errors;
in
rec {
  isOption = lib.isType "option";

  mkOption =
    option@{
      default ? null,
      defaultText ? null,
      example ? null,
      description ? null,
      relatedPackages ? null,
      type ? null,
      apply ? null,
      internal ? null,
      visible ? null,
      readOnly ? null,
    }:
    option // { _type = "option"; };

  mkEnableOption =
    what:
    mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };

  mkPackageOption =
    packages: name:
    {
      nullable ? false,
      default ? name,
      example ? null,
      extraDescription ? "",
      pkgsText ? "pkgs",
    }:
    let
      title = if isList name then lib.last name else name;
      path = lib.toList default;
      shown = lib.showAttrPath path;
      fallback =
        if default != null then
          {
            default = lib.attrByPath path (throw "${shown} cannot be found in ${pkgsText}") packages;
            defaultText = literalExpression "${pkgsText}.${shown}";
          }
        else if nullable then
          { default = null; }
        else
          { };
    in
    mkOption (
      fallback
      // {
        type = if nullable then lib.types.nullOr lib.types.package else lib.types.package;
        description = "The ${title} package to use." + lib.optionalString (extraDescription != "") " ${extraDescription}";
      }
      // lib.optionalAttrs (example != null) {
        example = literalExpression (if isList example then "${pkgsText}.${lib.showAttrPath example}" else example);
      }
    );
  mkPackageOptionMD = mkPackageOption;

  # Takes every definition below it and gives none of them out.
  mkSinkUndeclaredOptions =
    changes:
    mkOption (
      {
        internal = true;
        visible = false;
        default = false;
        description = "Sink for option definitions.";
        type = lib.mkOptionType {
          name = "sink";
          merge = _: _: false;
        };
        apply = _: throw "Option value is not readable because the option is not declared.";
      }
      // changes
    );

  literalExpression =
    text:
    if isString text then
      { _type = "literalExpression"; inherit text; }
    else
      throw "literalExpression expects a string.";
  literalMD =
    text:
    if isString text then
      { _type = "literalMD"; inherit text; }
    else
      throw "literalMD expects a string.";
  literalCode = language: text: literalMD "```${language}\n${text}\n```\n";
  literalExample = literalExpression;
  # Descriptions are Markdown throughout; these only pass them on.
  mdDoc = text: text;

  getValues = map (definition: definition.value);
  getFiles = map (definition: definition.file);

  # Merge functions: a location and definitions to a value.
  mergeDefaultOption =
    location: definitions:
    let
      values = getValues definitions;
    in
    if length values == 1 then
      head values
    else if all lib.isFunction values then
      argument: mergeDefaultOption location (map (definition: definition // { value = definition.value argument; }) definitions)
    else if all isList values then
      lib.concatLists values
    else if all isAttrs values then
      lib.mergeAttrsList values
    else if all isBool values then
      lib.any lib.id values
    else if all isString values then
      lib.concatStrings values
    else if all isInt values && all (value: value == head values) values then
      head values
    else
      throw "Cannot merge definitions of `${errors.showOption location}'. Definition values:${errors.showDefs definitions}";

  mergeUniqueOption =
    {
      message,
      merge ? _: definitions: (head definitions).value,
    }:
    location: definitions:
    if length definitions == 1 then
      merge location definitions
    else
      throw "The option `${errors.showOption location}' is defined multiple times while it's expected to be unique.\n${message}\nDefinition values:${errors.showDefs definitions}\n${errors.prioritySuggestion}";

  mergeOneOption = mergeUniqueOption { message = ""; };

  mergeEqualOption =
    location: definitions:
    let
      first = head definitions;
      different = builtins.filter (definition: definition.value != first.value) definitions;
    in
    if different == [ ] then
      first.value
    else
      throw "The option `${errors.showOption location}' has conflicting definition values:${errors.showDefs ([ first ] ++ different)}\n${errors.prioritySuggestion}";
}
