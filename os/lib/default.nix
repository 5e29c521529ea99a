# The library that modules are written with: the names, arguments and meanings of nixpkgs' lib, as far as modules need
# them. Every file is a function of the finished library and gives some of its attributes.
let
  lib =
    parts.functions
    // parts.lists
    // parts.attrs
    // removeAttrs parts.strings [ "replicate" ]
    // parts.derivations
    // parts.priorities
    // parts.options
    // parts.docs
    // parts.renames
    // {
      inherit (parts.evaluate) evalModules;
      inherit (parts.merge) mergeDefinitions mergeOptionDecls evalOptionValue;
      inherit (parts.types) mkOptionType isOptionType;
      inherit (parts.assertions) failedAssertions checkAssertions;
      inherit parts;
      inherit (parts) types generators;

      # nixpkgs also gives its functions by family.
      trivial = parts.functions;
      lists = parts.lists;
      attrsets = parts.attrs;
      strings = parts.strings;
      options = parts.options // parts.docs // { inherit (parts.errors) showOption showFiles showDefs; };
      modules =
        parts.priorities
        // parts.renames
        // parts.merge
        // {
          inherit (parts.evaluate) evalModules;
        };
      inherit (parts.errors)
        showOption
        showFiles
        showDefs
        showOptionWithDefLocs
        unknownModule
        ;
    };

  part = file: import file { inherit lib; };

  parts = {
    functions = part ./functions.nix;
    lists = part ./lists.nix;
    attrs = part ./attrs.nix;
    strings = part ./strings.nix;
    derivations = part ./derivations.nix;
    generators = part ./generators.nix;
    errors = part ./errors.nix;
    priorities = part ./priorities.nix;
    options = part ./options.nix;
    docs = part ./option-docs.nix;
    renames = part ./renames.nix;
    assertions = part ./assertions.nix;
    collect = part ./modules/collect.nix;
    merge = part ./modules/merge.nix;
    evaluate = part ./modules/evaluate.nix;
    types = import ./types { inherit lib; };
  };
in
lib
