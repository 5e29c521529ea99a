# Debian names and versions as store path names.
rec {
  # Versions have an epoch and characters that store path names may not have.
  version =
    text:
    let
      parts = builtins.match "([0-9]+:)?(.*)" text;
    in
    builtins.replaceStrings [ "~" ":" ] [ "-" "-" ] (builtins.elemAt parts 1);
  # The names of a list, sorted, each once.
  unique = list: builtins.attrNames (builtins.listToAttrs (map (name: { inherit name; value = null; }) list));
  storeName = name: text: "${name}-${version text}";
  # File names in the archive escape the epoch's colon.
  fileName = text: builtins.replaceStrings [ "%3a" "~" ":" ] [ "-" "-" "-" ] text;
}
