# Files and directories: listing them and choosing what of a source is copied to the store.
{ lib }:
let
  inherit (builtins) attrNames readDir;
in
rec {
  pathType = path: (readDir (dirOf path)).${baseNameOf path};
  pathIsDirectory = path: builtins.pathExists path && pathType path == "directory";
  pathIsRegularFile = path: builtins.pathExists path && pathType path == "regular";

  # All files below a directory, as paths.
  listFilesRecursive =
    directory:
    let
      entries = readDir directory;
      below =
        name:
        if entries.${name} == "directory" then
          listFilesRecursive (directory + "/${name}")
        else
          [ (directory + "/${name}") ];
    in
    lib.concatMap below (attrNames entries);

  # Leaves out version control, editors' backups, object files and links to builds.
  cleanSourceFilter =
    path: type:
    let
      name = baseNameOf (toString path);
    in
    !(
      name == ".git"
      || (type == "directory" && lib.elem name [ ".svn" "CVS" ".hg" ".jj" ".pijul" "_darcs" ])
      || lib.hasSuffix "~" name
      || builtins.match "\\.sw[a-z]" name != null
      || builtins.match "\\..*\\.sw[a-z]" name != null
      || lib.hasSuffix ".o" name
      || lib.hasSuffix ".so" name
      || (type == "symlink" && lib.hasPrefix "result" name)
      || type == "unknown"
    );
  cleanSource = src: cleanSourceWith { inherit src; filter = cleanSourceFilter; };
  cleanSourceWith =
    {
      src,
      filter ? _: _: true,
      name ? null,
    }:
    let
      isWrapped = src ? _isLibCleanSourceWith;
      origSrc = if isWrapped then src.origSrc else src;
      both = if isWrapped then path: type: filter path type && src.filter path type else filter;
      title = if name != null then name else if isWrapped then src.name else "source";
    in
    {
      _isLibCleanSourceWith = true;
      inherit origSrc;
      filter = both;
      name = title;
      outPath = builtins.path {
        name = title;
        path = origSrc;
        filter = both;
      };
    };
  sourceFilesBySuffices =
    src: suffixes:
    cleanSourceWith {
      inherit src;
      filter = path: type: type == "directory" || lib.any (suffix: lib.hasSuffix suffix (baseNameOf path)) suffixes;
    };
  sourceByRegex =
    src: expressions:
    let
      root = toString (src.origSrc or src) + "/";
    in
    cleanSourceWith {
      inherit src;
      filter =
        path: _:
        lib.any (expression: builtins.match expression (lib.removePrefix root (toString path)) != null) expressions;
    };
}
