# Small builders with nixpkgs' names: texts, scripts, trees of files. All of them run in busybox alone.
{ busybox, system }:
let
  inherit (builtins) concatStringsSep attrNames isPath isString split length elemAt;

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
    derivation {
      inherit name system text;
      builder = busybox;
      args = [
        "sh"
        "-c"
        ''set -eu; umask 022; target=$out${destination}; mkdir -p "''${target%/*}"; cp "$textPath" "$target"; chmod ${
          if executable then "755" else "644"
        } "$target"''
      ];
      passAsFile = [ "text" ];
      allowSubstitutes = false;
      preferLocalBuild = true;
    }
    // {
      inherit meta;
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

  lines = text: builtins.filter isString (split "\n" text);

  # One record of a manifest for write-tree.sh. The number of lines says where the text ends; "f" marks one whose last
  # line has no newline.
  record =
    path: entry:
    if entry ? text then
      let
        parts = lines entry.text;
        open = elemAt parts (length parts - 1) != "";
        count = if open then length parts else length parts - 1;
      in
      "${if open then "f" else "F"} ${toString count} ${entry.mode or "644"} ${path}\n${entry.text}${if open then "\n" else ""}"
    else
      "L ${entry.target} ${path}\n";

  # A manifest of files; write-tree.sh makes them. Each is { text, mode ? "644" } or a link { target }.
  treeManifest = files: concatStringsSep "" (map (path: record path files.${path}) (attrNames files));

  # A tree of files in one derivation, however many they are: { "path/in/tree" = { text, mode ? "644" } or { target }; }.
  writeTree =
    name: files:
    mkScript {
      inherit name;
      script = ./write-tree.sh;
      manifest = treeManifest files;
      passAsFile = [ "manifest" ];
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
    treeManifest
    symlinkJoin
    ;
  # Whoever builds it builds it here.
  runCommandLocal = runCommand;
  buildEnv = symlinkJoin;
  writeTreeScript = ./write-tree.sh;
}
