# Unpacks one .deb: its files below $out, its control files below $out/DEBIAN. No maintainer script is run.
{ names, fetchDebian }:
name: entry:
derivation {
  name = names.storeName name entry.version;
  system = "builtin";
  builder = "builtin:unpack-deb";
  src = fetchDebian (baseNameOf entry.path) entry;
  preferLocalBuild = true;
}
