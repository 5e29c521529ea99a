# Fetches one file of the Debian archive, pinned by its hash. The URL names the archive, not a host: Firn looks the
# host up in the setting `deb-mirrors`.
{ names }:
file: entry:
derivation {
  name = names.fileName file;
  system = "builtin";
  builder = "builtin:fetchurl";
  url = "mirror://${entry.path}";
  outputHash = entry.sha256;
  outputHashAlgo = "sha256";
  outputHashMode = "flat";
  preferLocalBuild = true;
  # In bytes, so that a plan can say how much is to be fetched.
  downloadSize = toString entry.size;
}
