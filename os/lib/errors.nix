# The texts of errors: options, files, definitions and what was perhaps meant.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    filter
    length
    ;

  # Bold where nixpkgs is bold, so that its users find what they know.
  escapeByte = builtins.fromJSON "\"\\u001b\"";
  bold = text: "${escapeByte}[1m${text}${escapeByte}[0m";
  wrong = text: "${escapeByte}[1;35m${text}${escapeByte}[0m";
  right = text: "${escapeByte}[1;32m${text}${escapeByte}[0m";
in
rec {
  unknownModule = "<unknown-file>";

  showOption =
    let
      part = name: if name == "*" || builtins.match "<.*>" name != null then name else lib.escapeNixIdentifier name;
    in
    location: lib.concatMapStringsSep "." part location;

  showFiles = files: lib.concatMapStringsSep " and " (file: "`${file}'") files;

  # The file of something, with its line when the position is one of that file. A module without a file of its own is known
  # by where it is written.
  showPlace =
    file: position:
    if position != null && position.line or null != null && (position.file == file || file == unknownModule) then
      "${position.file}:${toString position.line}"
    else
      toString file;

  # One item per definition: where it is, and its value where that can be shown. More than `most` lines of one value are cut.
  showDefs =
    definitions:
    let
      most = 5;
      show =
        definition:
        let
          text = builtins.tryEval (definition.shown or (lib.generators.toPrettyLimited definition.value));
          lines = lib.splitString "\n" text.value;
          shown = concatStringsSep "\n    " (lib.take most lines ++ lib.optional (length lines > most) "...");
          value = if !text.success then "" else if length lines > 1 then ":\n    ${shown}" else ": ${shown}";
        in
        "\n- In `${showPlace definition.file (definition.pos or null)}'${value}";
    in
    lib.concatMapStrings show definitions;

  # The same for values that nothing has checked: of sets the names alone, because what is inside may fail to evaluate.
  showUnknownDefs =
    definitions:
    showDefs (
      map (
        definition:
        if builtins.isAttrs definition.value then
          definition // { shown = "{ ${lib.concatMapStrings (name: "${lib.strings.escapeNixIdentifier name} = ...; ") (attrNames definition.value)}}"; }
        else if builtins.isList definition.value then
          definition // { shown = if definition.value == [ ] then "[ ]" else "[ ... ]"; }
        else
          definition
      ) definitions
    );

  # The options of `option` as a text for messages, with the files that define it.
  showOptionWithDefLocs =
    option:
    "${showOption option.loc}, with values defined in:\n${concatStringsSep "\n" (map (file: "  - ${file}") option.files)}\n";

  prioritySuggestion = "Use `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";

  # The names at most two edits away from `name`, nearest first and at most three; a longer name may differ in a third of it, unless there
  # are many.
  nearest =
    name: candidates:
    let
      close =
        candidate:
        lib.levenshteinAtMost 2 name candidate
        || (length candidates < 100 && lib.levenshtein name candidate * 3 <= builtins.stringLength name);
    in
    lib.take 3 (lib.sortOn (lib.levenshtein name) (filter close candidates));

  didYouMean =
    parent: name: candidates:
    let
      shown = map (candidate: "`${showOption (parent ++ [ candidate ])}'") (nearest name candidates);
    in
    if shown == [ ] then
      ""
    else if length shown == 1 then
      "\n\nDid you mean ${builtins.head shown}?"
    else
      "\n\nDid you mean ${concatStringsSep ", " (lib.init shown)} or ${lib.last shown}?";

  # Definitions that no option takes. `unmatched` is not empty; `options` is the declared tree.
  unknownOption =
    {
      prefix,
      options,
      unmatched,
    }:
    let
      first = builtins.head unmatched;
      location = prefix ++ first.prefix;
      same = filter (definition: definition.prefix == first.prefix) unmatched;
      others = lib.attrValues (
        builtins.mapAttrs (_: builtins.head) (
          builtins.groupBy (definition: showOption definition.prefix) (filter (definition: definition.prefix != first.prefix) unmatched)
        )
      );
      siblingsOf =
        path:
        let
          around = lib.attrByPath (lib.init path) { } options;
        in
        filter (name: length path > 1 || name != "_module") (attrNames around);
      values =
        builtins.addErrorContext
          "while evaluating the error message for definitions for `${showOption location}', which is an option that does not exist${alsoUnknown}"
          (builtins.addErrorContext "while evaluating a definition from `${first.file}'" (showUnknownDefs same));
      other =
        definition:
        let
          near = lib.take 1 (nearest (lib.last definition.prefix) (siblingsOf definition.prefix));
        in
        "\n- `${showOption (prefix ++ definition.prefix)}' in `${showPlace definition.file (definition.pos or null)}'"
        + lib.concatMapStrings (name: "; did you mean `${showOption (prefix ++ lib.init definition.prefix ++ [ name ])}'?") near;
      alsoUnknown = lib.optionalString (others != [ ]) (
        "\n\n${if length others == 1 then "Another option does" else "${toString (length others)} more options do"} not exist:"
        + lib.concatMapStrings other others
      );
      noOptions =
        if attrNames options != [ "_module" ] then
          ""
        else if prefix == [ ] then
          "\n\nIt seems as if you're trying to declare an option by placing it into `config' rather than `options'!\n"
        else
          "\n\nHowever there are no options defined in `${showOption prefix}'. Are you sure you've\ndeclared your options properly? This can happen if you e.g. declared your options in `types.submodule'\nunder `config' rather than `options'.\n";
    in
    "The option `${showOption location}' does not exist. Definition values:${values}${didYouMean (lib.init location) (lib.last first.prefix) (siblingsOf first.prefix)}${alsoUnknown}${noOptions}";

  wrongType =
    location: type: detail:
    "A definition for option `${showOption location}' is not of type `${type.description}'. ${detail}";

  # Two declarations of one option that cannot be made one; each with its place and type.
  declaredTwice =
    location: declarations: new:
    let
      describe =
        declaration:
        "\n- In `${showPlace declaration._file declaration.pos}'${lib.optionalString (declaration.options ? type) ": ${declaration.options.type.description or "?"}"}";
    in
    "The option `${showOption location}' in `${new._file}' is already declared in ${showFiles (map (declaration: declaration._file) declarations)}.\nDeclarations:${
      lib.concatMapStrings describe (declarations ++ [ new ])
    }";

  parentOfOptions =
    location: declaration: nested:
    let
      collect =
        path: tree:
        if lib.isType "option" tree || !builtins.isAttrs tree then
          [ path ]
        else
          lib.concatMap (name: collect (path ++ [ name ]) tree.${name}) (attrNames tree);
      show =
        child:
        lib.concatMapStrings (path: "\n- option(s) with prefix `${showOption path}' in module `${child._file}'") (lib.take 5 (map (lib.take (length location + 1)) (lib.unique (collect location child.options))));
    in
    "The option `${showOption location}' in module `${declaration._file}' would be a parent of the following options, but its type `${
      declaration.options.type.description or "<no description>"
    }' does not support nested options.${lib.concatMapStrings show nested}";

  notAnOption =
    location: file: tag:
    let
      name = lib.escapeNixIdentifier (lib.last location);
    in
    "In module ${file}: expected an option declaration at option path `${showOption location}` but got an attribute set with type ${tag}"
    + lib.optionalString (tag == "option-type") (
      "\n\nWhen declaring an option, you must wrap the type in a `mkOption` call. It should look somewhat like:"
      + lib.optionalString (length location > 1) "\n    # ${showOption location}"
      + "\n    ${name} = lib.mkOption {\n      description = ...;\n      type = <the type you wrote for ${name}>;\n      ...\n    };\n"
    );

  notAttributes =
    location: definition:
    let
      option = concatStringsSep "." location;
    in
    "In module `${showPlace definition.file (definition.pos or null)}', you're trying to define a value of type `${builtins.typeOf definition.attrs}'\nrather than an attribute set for the option\n`${option}'!\n\nThis usually happens if `${option}' has option\ndefinitions inside that are not matched: give it an attribute set of its options.";

  optionsNotAttributes =
    location: tree: file:
    "An option declaration for `${concatStringsSep "." location}' in `${file}' has type\n`${builtins.typeOf tree}' rather than an attribute set.\nDid you mean to define this outside of `options'?";

  # Something else than a module in a list of modules. Its kind is known by the `_type` it carries.
  notAModule =
    {
      kind,
      file,
      prefix,
      class,
    }:
    let
      family = if class == null then "modules.someApp" else "modules.${class}";
      flakeHint =
        "\n\nPerhaps you forgot to select an attribute name?\nInstead of, for example,\n    ${wrong "inputs.someflake"}\nyou need to write something like\n    ${wrong "inputs.someflake"}${right ".${family}.default"}"
        + lib.optionalString (class == "nixos" || class == "darwin") "\nor\n    ${wrong "inputs.someflake"}${right ".${class}Modules.default"}";
      configurationHint = "\n\nIf you really mean to import this configuration, instead please only import the modules that make up the configuration.\nYou may have to create a `let` binding, file or attribute to give yourself access to the relevant modules.";
    in
    "Expected a module, but found a value of type ${wrong (lib.escapeNixString kind)}"
    + lib.optionalString (file != null && file != unknownModule) ", while trying to load a module into ${toString file}"
    + lib.optionalString (prefix != [ ]) ", while trying to load a module into ${bold (showOption prefix)}"
    + ".\nA module is typically loaded by adding it to the ${bold "imports = [ ... ];"} attribute of an existing module, or in the ${bold "modules = [ ... ];"} argument of various functions.\nPlease make sure that each of the list items is a module, and not a different kind of value."
    + lib.optionalString (kind == "flake") flakeHint
    + lib.optionalString (kind == "configuration") configurationHint;

  wrongClass =
    module: class:
    "The module `${module._file}` (class: ${lib.escapeNixString module._class}) cannot be imported into a module evaluation that expects class ${lib.escapeNixString class}.\n\nHelp:\n- Import the module that is made for ${lib.escapeNixString class}.\n- If the module fits both, remove its `_class`.\n";

  unsupportedAttributes =
    key: names:
    "Module `${key}' has an unsupported attribute `${builtins.head names}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${toString names}) into the explicit `config' attribute.";
}
