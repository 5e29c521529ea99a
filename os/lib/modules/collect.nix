# From a list of modules to all modules: loads files, calls functions, follows imports, leaves out disabled ones.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatMap
    filter
    genericClosure
    isAttrs
    isString
    mapAttrs
    ;
  inherit (lib) isFunction mkMerge optional;
  inherit (lib.parts) errors;

  callModule =
    name: module: arguments:
    let
      context = argument: "while evaluating the module argument `${argument}' in \"${name}\":";
      # Each argument is a value of its own, so that none is evaluated before it is used.
      asked = mapAttrs (
        argument: _:
        builtins.addErrorContext (context argument) (
          arguments.${argument} or (builtins.addErrorContext
            "noting that argument `${argument}` is not externally provided, so querying `_module.args` instead, requiring `config`"
            arguments.config._module.args.${argument}
          )
        )
      ) (lib.functionArgs module);
    in
    module (arguments // asked);

  common = [ "_class" "_file" "key" "disabledModules" "imports" "freeformType" ];

  canonical =
    file: key: module:
    let
      long = module ? config || module ? options;
      unsupported = attrNames (removeAttrs module (common ++ [ "options" "config" "meta" ]));
      config =
        if !long then
          removeAttrs module (common ++ [ "require" ])
        else if module ? meta then
          mkMerge [
            (module.config or { })
            { inherit (module) meta; }
          ]
        else
          module.config or { };
    in
    if !(isAttrs module) then
      throw "module ${file} (${key}) does not look like a module."
    else if long && unsupported != [ ] then
      throw (errors.unsupportedAttributes key unsupported)
    else
      {
        _file = toString module._file or file;
        _class = module._class or null;
        key = toString module.key or key;
        disabledModules = module.disabledModules or [ ];
        imports = (if long then [ ] else module.require or [ ]) ++ module.imports or [ ];
        options = if long then module.options or { } else { };
        config =
          if module ? freeformType then
            mkMerge [
              config
              { _module.freeformType = module.freeformType; }
            ]
          else
            config;
      };

  disabledKey =
    modulesPath: file: item:
    if isString item then
      if builtins.substring 0 1 item == "/" then item else "${toString modulesPath}/${item}"
    else if lib.isConvertibleWithToString item then
      if item ? key && item.key != toString item then
        throw "Module `${file}` contains a disabledModules item that is an attribute set that can be converted to a string (${toString item}) but also has a `.key` attribute (${item.key}) with a different value. This makes it ambiguous which module should be disabled."
      else
        toString item
    else if item ? key then
      item.key
    else if isAttrs item then
      throw "Module `${file}` contains a disabledModules item that is an attribute set, presumably a module, that does not have a `key` attribute. This means that the module system doesn't have any means to identify the module that should be disabled. Make sure that you've put the correct value in disabledModules: a string path relative to modulesPath, a path value, or an attribute set with a `key` attribute."
    else
      throw "Each disabledModules item must be a path, string, or a attribute set with a key attribute, or a value supported by toString. However, one of the disabledModules items in `${toString file}` is none of that, but is of type ${builtins.typeOf item}.";
in
{
  # { modules, graph }: the modules in canonical form, each key once, and the tree of imports as loaded.
  collectModules =
    {
      class,
      modulesPath,
      modules,
      arguments,
    }:
    let
      load =
        file: key: module:
        if isFunction module then
          canonical file key (callModule key module arguments)
        else if isAttrs module then
          let
            kind = module._type or "module";
          in
          if kind == "module" then
            canonical file key module
          else if kind == "if" || kind == "override" || kind == "merge" then
            canonical file key { config = module; }
          else
            throw (
              errors.notAModule {
                inherit kind file class;
                prefix = arguments._prefix;
              }
            )
        else if builtins.isList module then
          throw "Module imports can't be nested lists. Perhaps you meant to remove one level of lists? Definitions: ${errors.showDefs [ { inherit file; value = module; } ]}"
        else
          let
            path = toString module;
            content = import module;
          in
          canonical path path (if isFunction content then callModule path content arguments else content);

      ofClass =
        module:
        if class == null || module._class == null || module._class == class then
          module
        else
          throw (errors.wrongClass module class);

      nodes =
        file: key:
        lib.imap1 (
          number: entry:
          let
            module = ofClass (load file "${key}:anon-${toString number}" entry);
          in
          {
            inherit (module) key;
            inherit module;
            imports = nodes module._file module.key module.imports;
          }
        );

      top = nodes errors.unknownModule "" modules;
      everything = genericClosure {
        startSet = top;
        operator = node: node.imports;
      };
      disabled = builtins.listToAttrs (
        concatMap (
          node:
          map (item: {
            name = builtins.unsafeDiscardStringContext (disabledKey modulesPath node.module._file item);
            value = null;
          }) node.module.disabledModules
        ) everything
      );
      isEnabled = node: !(disabled ? ${builtins.unsafeDiscardStringContext node.key});
      enabled =
        if disabled == { } then
          everything
        else
          genericClosure {
            startSet = filter isEnabled top;
            operator = node: filter isEnabled node.imports;
          };

      inGraph = node: {
        disabled = !(isEnabled node);
        inherit (node) key;
        file = node.module._file;
        imports = map inGraph node.imports;
      };
    in
    {
      modules = map (node: node.module) enabled;
      graph = map inGraph (filter (node: node.key != "lib/modules.nix") top);
    };
}
