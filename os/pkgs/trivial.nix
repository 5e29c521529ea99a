# Small builders with nixpkgs' names: texts, scripts, trees of files. All of them run in busybox alone.
{ busybox, system }:
let
  inherit (builtins) concatStringsSep attrNames;

  # A derivation whose builder is busybox's shell with `script`; the other attributes become its environment.
  mkScript =
    { script, ... }@attributes:
    derivation (
      removeAttrs attributes [ "script" "meta" "passthru" ]
      // {
        inherit system busybox;
        builder = busybox;
        args = [ "sh" script ];
        # Made of this machine's own texts: no cache has it.
        allowSubstitutes = false;
        preferLocalBuild = true;
      }
    )
    // {
      meta = attributes.meta or { };
    }
    // (attributes.passthru or { });

  # Runs the shell text `buildCommand`; it finds busybox's programs by name and must make $out.
  runCommand =
    name: environment: buildCommand:
    derivation (
      removeAttrs environment [ "meta" "passthru" ]
      // {
        inherit name system busybox buildCommand;
        builder = busybox;
        args = [ "sh" "-c" "set -eu; . \"$buildCommandPath\"" ];
        passAsFile = [ "buildCommand" ] ++ (environment.passAsFile or [ ]);
      }
    )
    // {
      meta = environment.meta or { };
    };

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      meta ? { },
    }:
    buildTree {
      inherit name;
      files.${builtins.substring 1 (builtins.stringLength destination) destination} = {
        inherit text;
        mode = if executable then "755" else "644";
      };
    }
    // {
      inherit text meta;
    };

  writeText = name: text: writeTextFile { inherit name text; };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeShellScript = name: text: writeScript name "#!/usr/bin/bash\n${text}";
  writeShellScriptBin =
    name: text:
    writeTextFile {
      inherit name;
      text = "#!/usr/bin/bash\n${text}\n";
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };
  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };

  writeTextDir =
    path: text:
    writeTextFile {
      name = baseNameOf path;
      inherit text;
      destination = "/${path}";
    };
  # The programs of `runtimeInputs` are found first; nothing checks the text.
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      runtimeEnv ? { },
      bashOptions ? [ "errexit" "nounset" "pipefail" ],
      inheritPath ? true,
      meta ? { },
      ...
    }:
    let
      path = concatStringsSep ":" (
        map (input: "${input}/bin") runtimeInputs ++ (if inheritPath then [ "$PATH" ] else [ ])
      );
      quoted = value: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString value)}'";
    in
    writeTextFile {
      inherit name;
      text = concatStringsSep "" (
        [ "#!/usr/bin/bash\n" ]
        ++ map (option: "set -o ${option}\n") bashOptions
        ++ map (variable: "export ${variable}=${quoted runtimeEnv.${variable}}\n") (attrNames runtimeEnv)
        ++ (if runtimeInputs == [ ] && inheritPath then [ ] else [ "export PATH=\"${path}\"\n" ])
        ++ [ "\n${text}\n" ]
      );
      executable = true;
      destination = "/bin/${name}";
      meta = {
        mainProgram = name;
      }
      // meta;
    };
  emptyFile = writeText "empty-file" "";
  emptyDirectory = runCommand "empty-directory" { } "mkdir $out";
  # Links by name: a list of { name, path }, or a set of paths.
  linkFarm =
    name: entries:
    writeTree name (
      builtins.listToAttrs (
        map (entry: {
          inherit (entry) name;
          value.target = "${entry.path}";
        }) (if builtins.isList entries then entries else map (name: { inherit name; path = entries.${name}; }) (attrNames entries))
      )
    );

  # A tree of files in one derivation, however many they are: { "path/in/tree" = { text, mode ? "644" } or { target }; }. A text is a string, or a list of
  # strings and { file }, in whose place is what that file of an input contains.
  writeTree = name: files: buildTree { inherit name files; };

  # The same with what depends on inputs, made by Firn itself without a process. A text can have `instead`, its place where one of the paths `unless` is
  # there (absolute ones in inputs, others in the tree), a link `otherwise`, its target where the first is not there. `sources` are directories
  # { from, to, except ? [ pattern ] } whose files are linked where the tree has none, `programs` is where programs are that its units start.
  buildTree =
    { name, ... }@tree:
    derivation {
      inherit name;
      system = "builtin";
      builder = "builtin:write-tree";
      manifest = builtins.toJSON (removeAttrs tree [ "name" ]);
      # Made of this machine's own texts: no cache has it.
      allowSubstitutes = false;
      preferLocalBuild = true;
    };

  # Links the files of several trees into one; of two files at one place the first is kept.
  symlinkJoin =
    {
      name,
      paths,
      pathsToLink ? [ "/" ],
      meta ? { },
      ...
    }:
    mkScript {
      inherit name paths pathsToLink meta;
      script = ./symlink-join.sh;
    };
in
{
  inherit
    mkScript
    runCommand
    writeTextFile
    writeText
    writeScript
    writeShellScript
    writeShellScriptBin
    writeScriptBin
    writeShellApplication
    writeTextDir
    emptyFile
    emptyDirectory
    linkFarm
    writeTree
    buildTree
    symlinkJoin
    ;
  # Whoever builds it builds it here.
  runCommandLocal = runCommand;
  buildEnv = symlinkJoin;
}
