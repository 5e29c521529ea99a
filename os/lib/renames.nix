# Modules and definitions that lead from one option to another.
{ lib }:
let
  inherit (lib)
    getAttrFromPath
    attrByPath
    hasAttrByPath
    mkIf
    mkMerge
    mkOption
    mkOverride
    optional
    optionalAttrs
    optionalString
    setAttrByPath
    types
    ;
  inherit (lib.parts.errors) showOption showFiles;
in
rec {
  inherit (lib.parts.merge) setDefaultModuleLocation;

  # Definitions of `option` as a definition of another one.
  mkAliasDefinitions = mkAliasAndWrapDefinitions lib.id;
  mkAliasAndWrapDefinitions = wrap: option: mkIf option.isDefined (wrap (mkMerge option.definitions));
  mkAliasAndWrapDefsWithPriority =
    wrap: option:
    let
      priority = option.highestPrio or lib.defaultOverridePriority;
    in
    mkIf option.isDefined (wrap (mkMerge (map (mkOverride priority) option.definitions)));
  mkAliasIfDef = option: mkIf option.isDefined;
  # A definition computed from the value of `option`, as strong as the ones of that.
  mkDerivedConfig =
    option: function: mkOverride (option.highestPrio or lib.defaultOverridePriority) (function option.value);

  # Evaluates old-style modules without the check for undeclared options.
  fixMergeModules = modules: args: lib.evalModules { inherit modules args; check = false; };

  doRename =
    {
      from,
      to,
      visible,
      warn,
      use,
      withPriority ? true,
      condition ? true,
    }:
    { config, options, ... }:
    let
      old = getAttrFromPath from options;
      target = attrByPath to { } options;
      value =
        if hasAttrByPath to config then
          getAttrFromPath to config
        else
          abort "Renaming error: option `${showOption to}' does not exist.";
      forward = if withPriority then mkAliasAndWrapDefsWithPriority else mkAliasAndWrapDefinitions;
    in
    {
      options = setAttrByPath from (mkOption {
        inherit visible;
        description = "Alias of {option}`${showOption to}`.";
        type = target.type or (types.submodule { });
        apply = _: use value;
      });
      config = mkIf condition (mkMerge [
        (optionalAttrs (options ? warnings) {
          warnings =
            optional (warn && old.isDefined)
              "The option `${showOption from}' defined in ${showFiles old.files} has been renamed to `${showOption to}'.";
        })
        (forward (setAttrByPath to) old)
      ]);
    };

  mkRenamedOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = false;
      warn = true;
      use = builtins.trace "Obsolete option `${showOption from}' is used. It was renamed to `${showOption to}'.";
    };

  mkRenamedOptionModuleWith =
    {
      from,
      to,
      sinceRelease,
    }:
    let
      warn = lib.oldestSupportedReleaseIsAtLeast sinceRelease;
    in
    doRename {
      inherit from to warn;
      visible = false;
      use = lib.warnIf warn "Obsolete option `${showOption from}' is used. It was renamed to `${showOption to}'.";
    };

  mkAliasOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = true;
      warn = false;
      use = lib.id;
    };
  mkAliasOptionModuleMD = mkAliasOptionModule;

  mkRemovedOptionModule =
    path: instructions:
    { options, ... }:
    let
      option = getAttrFromPath path options;
    in
    {
      options = setAttrByPath path (mkOption {
        visible = false;
        apply =
          _: throw "The option `${showOption path}' can no longer be used since it's been removed. ${instructions}";
      });
      config.assertions = [
        {
          assertion = !option.isDefined;
          message = "The option definition `${showOption path}' in ${showFiles option.files} no longer has any effect; please remove it.\n${instructions}\n";
        }
      ];
    };

  # Several old options whose values `merge config` makes one of another type.
  mkMergedOptionModule =
    from: to: merge:
    { config, options, ... }:
    let
      unset = "_mkMergedOptionModule";
      isUsed = path: getAttrFromPath path config != unset;
      used = builtins.filter isUsed from;
      warning =
        path:
        "The option `${showOption path}' defined in ${showFiles (getAttrFromPath path options).files} has been changed to `${showOption to}' that has a different type. Please read `${showOption to}' documentation and update your configuration accordingly.";
    in
    {
      options = builtins.foldl' lib.recursiveUpdate { } (
        map (
          path:
          setAttrByPath path (mkOption {
            visible = false;
            default = unset;
          })
        ) from
      );
      config = {
        warnings = map warning used;
      }
      // setAttrByPath to (mkMerge (optional (used != [ ]) (merge config)));
    };
  mkChangedOptionModule = from: mkMergedOptionModule [ from ];

  # `import file argument` as a module that still knows its file.
  importApply = file: argument: setDefaultModuleLocation file (import file argument);
}
