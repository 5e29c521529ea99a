# The library that modules are written with: the names, arguments and meanings of nixpkgs' lib, as far as modules need
# them. Every file is a function of the finished library and gives some of its attributes.
let
  # The library with what an overlay (final: previous: { … }) adds or changes; modules are given the final one.
  libraryWith =
    overlay:
    let
      lib = own // overlay lib own;

      own =
        parts.functions
        // parts.lists
        // parts.attrs
        // removeAttrs parts.strings [ "replicate" ]
        // parts.derivations
        // removeAttrs parts.sources [ "listFilesRecursive" ]
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
          inherit (parts) types generators sources;
          inherit (parts.generators) mkLuaInline;

          # nixpkgs also gives its functions by family.
          trivial = parts.functions;
          lists = parts.lists;
          attrsets = parts.attrs;
          strings = parts.strings;
          meta = parts.derivations;
          filesystem = { inherit (parts.sources) listFilesRecursive pathType pathIsDirectory pathIsRegularFile; };
          cli = { inherit (parts.generators) toGNUCommandLine toGNUCommandLineShell; };
          options = parts.options // parts.docs // { inherit (parts.errors) showOption showFiles showDefs; };
          modules =
            parts.priorities
            // parts.renames
            // parts.merge
            // {
              inherit (parts.evaluate) evalModules;

              # A file of data as a module.
              importJSON = file: {
                _file = file;
                config = lib.importJSON file;
              };
              importTOML = file: {
                _file = file;
                config = lib.importTOML file;
              };
            };
          inherit (parts.errors)
            showOption
            showFiles
            showDefs
            showOptionWithDefLocs
            unknownModule
            ;
          extend = more: libraryWith (own.composeExtensions overlay more);
        };

      part = file: import file { inherit lib; };

      parts = {
        functions = part ./functions.nix;
        lists = part ./lists.nix;
        attrs = part ./attrs.nix;
        strings = part ./strings.nix;
        derivations = part ./derivations.nix;
        sources = part ./sources.nix;
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
    lib;
in
libraryWith (_: _: { })
