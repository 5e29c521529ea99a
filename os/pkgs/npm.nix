# Packages of the npm registry, pinned by the integrity that a package-lock.json has. The URL names no host: Firn looks
# the registry up in the setting `npm-registry`.
{ busybox, system }:
{ lock }:
let
  inherit (builtins) attrNames elemAt filter match replaceStrings;
  entries = (builtins.fromJSON (builtins.readFile lock)).packages;

  # node_modules/a/node_modules/@b/c is the package @b/c.
  nameOf = path: elemAt (match "(.*node_modules/)?(.*)" path) 1;

  fetch =
    path:
    let
      name = nameOf path;
      base = elemAt (match "(@[^/]*/)?(.*)" name) 1;
      inherit (entries.${path}) version integrity;
    in
    derivation {
      name = "${replaceStrings [ "@" "/" ] [ "" "-" ] name}-${version}.tgz";
      system = "builtin";
      builder = "builtin:fetchurl";
      url = "mirror://npm/${name}/-/${base}-${version}.tgz";
      outputHash = integrity;
      outputHashMode = "flat";
      preferLocalBuild = true;
    };
in
{
  inherit fetch;

  # A directory with the packages in their places, unpacked; no script of theirs runs.
  nodeModules =
    { name, paths }:
    derivation {
      inherit name system busybox;
      builder = busybox;
      args = [ "sh" ./npm.sh ];
      places = paths;
      archives = map fetch paths;
    };

  # The packages of the lock that programs need at run time, those that only some machines can use left out.
  runtimePaths = filter (
    path:
    let
      entry = entries.${path};
    in
    path != "" && entry ? integrity && !(entry.dev or false) && !(entry.optional or false)
  ) (attrNames entries);
}
