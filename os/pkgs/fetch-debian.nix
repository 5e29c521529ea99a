# Fetches one file of the Debian archive, pinned by its hash. The URL names the archive, not a host: Firn looks the
# host up in the setting `deb-mirrors`. Archives that are not Debian's have their URL in the lock.
{
  names,
  archives ? { },
  suites ? [ ],
}:
let
  inherit (builtins) elemAt foldl' listToAttrs match;
  months = listToAttrs (
    builtins.genList (index: {
      name = elemAt [ "Jan" "Feb" "Mar" "Apr" "May" "Jun" "Jul" "Aug" "Sep" "Oct" "Nov" "Dec" ] index;
      value = if index < 9 then "0${toString (index + 1)}" else toString (index + 1);
    }) 12
  );
  # The end of the day of a release, as snapshot archives name times: what it lists is there by then.
  timeOf =
    suite:
    let
      parts = match "[A-Za-z]+, ([0-9]+) ([A-Z][a-z]+) ([0-9]+) .*" suite.date;
      day = elemAt parts 0;
    in
    if parts == null then
      ""
    else
      "${elemAt parts 2}${months.${elemAt parts 1}}${if builtins.stringLength day == 1 then "0${day}" else day}T235959Z";
  # The newest release of each archive.
  times = foldl' (
    found: suite:
    let
      time = timeOf suite;
      before = found.${suite.archive} or "";
    in
    found // { ${suite.archive} = if time > before then time else before; }
  ) { } suites;
in
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
  # When mirrors had the file: where it is looked for when it has left them.
  snapshot = if foreign == null then times.${builtins.head parts} or "" else "";
  # In bytes, so that a plan can say how much is to be fetched.
  downloadSize = toString entry.size;
}
