# Options as data for manuals and search.
{ lib }:
let
  inherit (builtins) isAttrs isBool isList;
  inherit (lib) concatMap optionalAttrs optionals;
  inherit (lib.parts.errors) showOption unknownModule;
in
rec {
  # A default or example as { _type = "literalExpression"; text }.
  renderOptionValue =
    value:
    if value ? _type && value ? text then
      value
    else
      lib.literalExpression (
        lib.generators.toPretty {
          multiline = true;
          allowPrettyValues = true;
        } value
      );

  # Replaces packages by their names, so that documents do not depend on them.
  scrubOptionValue =
    value:
    if lib.isDerivation value then
      {
        type = "derivation";
        drvPath = value.name;
        outPath = value.name;
        inherit (value) name;
      }
    else if isList value then
      map scrubOptionValue value
    else if isAttrs value then
      builtins.mapAttrs (_: scrubOptionValue) (removeAttrs value [ "_args" ])
    else
      value;

  # A flat list of all options below `options`, those of submodules included.
  optionAttrSetToDocList =
    options:
    let
      one =
        option:
        let
          name = showOption option.loc;
          visible = option.visible or true;
          type = option.type or { };
          hasEmptyValue = type ? emptyValue && type.emptyValue ? value && type.getSubModules or null == null;
          hasDefault = option ? defaultText || option ? default || hasEmptyValue;
          showsBelow = if isBool visible then visible else visible == "transparent";
          below = type.getSubOptions option.loc;
        in
        [
          (
            {
              inherit (option) loc;
              inherit name;
              description = option.description or null;
              declarations = builtins.filter (file: file != unknownModule) option.declarations;
              internal = option.internal or false;
              visible = if isBool visible then visible else visible == "shallow";
              readOnly = option.readOnly or false;
              type = type.description or "unspecified";
            }
            // optionalAttrs (option ? example) {
              example = builtins.addErrorContext "while evaluating the example of option `${name}`" (renderOptionValue option.example);
            }
            // optionalAttrs hasDefault {
              default = builtins.addErrorContext "while evaluating the ${
                if option ? defaultText then "defaultText" else "default value"
              } of option `${name}`" (renderOptionValue (option.defaultText or option.default or type.emptyValue.value));
            }
            // optionalAttrs (option.relatedPackages or null != null) { inherit (option) relatedPackages; }
          )
        ]
        ++ optionals (showsBelow && type ? getSubOptions && below != { }) (optionAttrSetToDocList below);
    in
    concatMap one (lib.collect lib.isOption options);

  optionAttrSetToDocList' = _: optionAttrSetToDocList;
}
