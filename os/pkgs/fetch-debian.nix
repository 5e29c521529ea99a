# Fetches one file of the Debian archive, pinned by its hash. The URL names the archive, not a host: Firn looks the
# host up in the setting `deb-mirrors`. Archives that are not Debian's have their URL in the lock.
{
  names,
  archives ? { },
}:
file: entry:
let
  parts = builtins.match "([^/]*)/(.*)" entry.path;
  foreign = archives.${builtins.head parts} or null;
in
derivation {
  name = names.fileName file;
  system = "builtin";
  builder = "builtin:fetchurl";
  url = if foreign == null then "mirror://${entry.path}" else "${foreign.url}/${builtins.elemAt parts 1}";
  outputHash = entry.sha256;
  outputHashAlgo = "sha256";
  outputHashMode = "flat";
  preferLocalBuild = true;
  # In bytes, so that a plan can say how much is to be fetched.
  downloadSize = toString entry.size;
}
