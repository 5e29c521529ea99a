# Strings.
{ lib }:
let
  inherit (builtins)
    isList
    length
    match
    replaceStrings
    split
    stringLength
    substring
    ;
  small = "abcdefghijklmnopqrstuvwxyz";
  capital = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  letters = text: builtins.genList (index: substring index 1 text) (stringLength text);
in
rec {
  inherit (builtins)
    compareVersions
    concatStringsSep
    elem
    elemAt
    filter
    fromJSON
    hasContext
    isInt
    isList
    isAttrs
    isPath
    isString
    match
    parseDrvName
    readFile
    replaceStrings
    split
    storeDir
    stringLength
    substring
    tail
    toJSON
    typeOf
    unsafeDiscardStringContext
    ;
  # `toString` and friends are builtins under their own name.
  inherit (builtins) head;

  inherit (builtins) appendContext concatMap genList;

  concatStrings = concatStringsSep "";
  concatMapStrings = function: values: concatStrings (map function values);
  concatMapStringsSep = separator: function: values: concatStringsSep separator (map function values);
  concatImapStrings = function: values: concatStrings (lib.imap1 function values);
  concatImapStringsSep = separator: function: values: concatStringsSep separator (lib.imap1 function values);
  concatMapAttrsStringSep = separator: function: attrs: concatStringsSep separator (lib.mapAttrsToList function attrs);
  concatLines = concatMapStrings (line: line + "\n");
  intersperse =
    separator: values: lib.concatLists (lib.imap0 (index: value: if index == 0 then [ value ] else [ separator value ]) values);
  join = concatStringsSep;
  replicate = count: text: concatStrings (lib.replicate count text);
  optionalString = condition: text: if condition then text else "";

  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      start = stringLength text - stringLength suffix;
    in
    start >= 0 && substring start (-1) text == suffix;
  # Compared after replacing: a text that loses something by it contains the part, whatever bytes both have.
  hasInfix = part: text: part == "" || replaceStrings [ part ] [ "" ] text != text;
  removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix =
    suffix: text:
    if hasSuffix suffix text then
      substring 0 (stringLength text - stringLength suffix) text
    else
      text;

  # What builtins take out of a string is without its context.
  addContextFrom = source: text: substring 0 0 source + text;
  splitString =
    separator: text:
    map (addContextFrom text) (builtins.filter builtins.isString (split (escapeRegex (toString separator)) (toString text)));
  replaceString = from: to: replaceStrings [ from ] [ to ];
  fileContents = file: removeSuffix "\n" (builtins.readFile file);
  enableFeature = on: feature: "--${if on then "enable" else "disable"}-${feature}";
  withFeature = on: feature: "--${if on then "with" else "without"}-${feature}";
  escapeURL =
    let
      # All characters that stand for something else, or nothing, in a URL.
      special = builtins.filter (character: match "[A-Za-z0-9._~-]" character == null) (lib.attrValues asciiTable);
      encoded = character: "%${fixedWidthString 2 "0" (lib.toHexString (charToInt character))}";
    in
    replaceStrings special (map encoded special);
  stringToCharacters = letters;
  stringAsChars = function: text: concatMapStrings function (letters text);
  lowerChars = letters small;
  upperChars = letters capital;
  toLower = replaceStrings (letters capital) (letters small);
  toUpper = replaceStrings (letters small) (letters capital);
  toSentenceCase = text: toUpper (substring 0 1 text) + toLower (substring 1 (-1) text);
  trim = trimWith { start = true; end = true; };
  trimWith =
    {
      start ? false,
      end ? false,
    }:
    text:
    let
      # The middle group is greedy, so the white space at the end is looked for in a second match.
      front = if start then builtins.head (match "[ \t\r\n]*(.*)" text) else text;
      back =
        let
          found = match "(.*[^ \t\r\n])[ \t\r\n]*" front;
        in
        if found == null then "" else builtins.head found;
    in
    addContextFrom text (if end then back else front);
  fixedWidthString =
    width: filler: text:
    let
      missing = width - stringLength text;
    in
    if missing < 0 then
      throw "fixedWidthString: requested string length (${toString width}) must not be shorter than actual length (${toString (stringLength text)})"
    else
      replicate missing filler + text;
  fixedWidthNumber = width: number: fixedWidthString width "0" (toString number);

  escape = characters: replaceStrings characters (map (character: "\\${character}") characters);
  escapeRegex = escape (letters "\\[{()^$?*+|.");
  escapeShellArg =
    value:
    let
      text = toString value;
    in
    if match "[[:alnum:],._+:@%/-]+" text == null then "'${replaceStrings [ "'" ] [ "'\\''" ] text}'" else text;
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  isValidPosixName = name: match "[a-zA-Z_][a-zA-Z0-9_]*" name != null;
  toShellVar =
    name: value:
    lib.throwIfNot (isValidPosixName name) "toShellVar: ${name} is not a valid shell variable name" (
      if builtins.isAttrs value && !(isStringLike value) then
        "declare -A ${name}=(${concatStringsSep " " (lib.mapAttrsToList (key: entry: "[${escapeShellArg key}]=${escapeShellArg entry}") value)})"
      else if isList value then
        "declare -a ${name}=(${escapeShellArgs value})"
      else
        "${name}=${escapeShellArg value}"
    );
  toShellVars = attrs: concatStringsSep "\n" (lib.mapAttrsToList toShellVar attrs);
  escapeNixString = text: escape [ "$" ] (builtins.toJSON text);
  escapeNixIdentifier =
    name: if match "[a-zA-Z_][a-zA-Z0-9_'-]*" name != null && !(keywords ? ${name}) then name else escapeNixString name;
  escapeXML = replaceStrings [ "\"" "'" "<" ">" "&" ] [ "&quot;" "&apos;" "&lt;" "&gt;" "&amp;" ];
  escapeSystemdPath =
    text:
    let
      trimmed = removeSuffix "/" (removePrefix "/" text);
      plain = character: match "[a-zA-Z0-9:_.]" character != null;
      one =
        index: character:
        if character == "/" then
          "-"
        else if plain character && !(index == 0 && character == ".") then
          character
        else
          byte character;
      byte = character: escapeC [ character ] character;
    in
    if trimmed == "" then "-" else concatStrings (lib.imap0 one (letters trimmed));
  escapeC =
    characters:
    replaceStrings characters (map (character: "\\x${lib.toLower (fixedWidthString 2 "0" (lib.toHexString (charToInt character)))}") characters);
  charToInt =
    character:
    lib.findFirst (number: asciiTable.${toString number} == character) (throw "charToInt: not in ASCII") (lib.range 1 127);

  isStringLike = value: builtins.isString value || builtins.isPath value || value ? outPath || value ? __toString;
  isConvertibleWithToString =
    value:
    isStringLike value
    || builtins.elem (builtins.typeOf value) [ "null" "int" "float" "bool" ]
    || (isList value && builtins.all isConvertibleWithToString value);
  isCoercibleToString = isConvertibleWithToString;
  isStorePath =
    value:
    isStringLike value && builtins.match "${escapeRegex builtins.storeDir}/[^/]+" (builtins.unsafeDiscardStringContext (toString value)) != null;

  versionOlder = left: right: builtins.compareVersions right left == 1;
  versionAtLeast = left: right: !versionOlder left right;
  getName =
    value:
    if builtins.isString value then
      (builtins.parseDrvName value).name
    else
      value.pname or (builtins.parseDrvName value.name).name;
  getVersion =
    value:
    if builtins.isString value then
      (builtins.parseDrvName value).version
    else
      value.version or (builtins.parseDrvName value.name).version;

  toInt =
    text:
    let
      found = match "[ \t\n]*(-?)0*([0-9]+)[ \t\n]*" text;
      strict = match "[ \t\n]*-?(0|[1-9][0-9]*)[ \t\n]*" text;
    in
    if found == null then
      throw "toInt: Could not convert ${escapeNixString text} to int."
    else if strict == null then
      throw "toInt: Ambiguity in interpretation of ${escapeNixString text} between octal and zero padded integer."
    else
      builtins.fromJSON (builtins.head found + builtins.elemAt found 1);
  toIntBase10 =
    text:
    let
      found = match "[ \t\n]*0*([0-9]+)[ \t\n]*" text;
    in
    if found == null then
      throw "toIntBase10: Could not convert ${escapeNixString text} to int."
    else
      builtins.fromJSON (builtins.head found);

  makeSearchPath =
    below: paths:
    concatStringsSep ":" (map (path: "${toString path}/${below}") (builtins.filter (path: path != null) paths));
  makeSearchPathOutput = output: below: packages: makeSearchPath below (map (lib.getOutput output) packages);
  makeLibraryPath = makeSearchPathOutput "lib" "lib";
  makeIncludePath = makeSearchPathOutput "dev" "include";
  makeBinPath = makeSearchPathOutput "bin" "bin";
  normalizePath =
    text:
    let
      parts = builtins.filter (part: part != "") (splitString "/" text);
    in
    lib.optionalString (hasPrefix "/" text) "/"
    + concatStringsSep "/" parts
    + lib.optionalString (hasSuffix "/" text && parts != [ ]) "/";
  nameFromURL = url: separator: builtins.head (splitString separator (lib.last (splitString "/" url)));
  sanitizeDerivationName =
    text:
    let
      plain = builtins.unsafeDiscardStringContext (toString text);
      kept = concatMapStrings (part: if isList part then "-" else part) (split "[^[:alnum:]+._?=-]+" (builtins.head (match "\\.*(.*)" plain)));
      cut = substring (lib.max (stringLength kept - 207) 0) (-1) kept;
    in
    if cut == "" then "unknown" else cut;

  # How many single-character edits make one text of the other.
  levenshtein =
    left: right:
    let
      columns = letters right;
      width = length columns;
      # One row from the one above: the entry to the left is threaded through a fold.
      nextRow =
        above: rowNumber: character:
        builtins.foldl' (
          row: index:
          let
            edge = builtins.elemAt row (length row - 1);
            cost = if builtins.elemAt columns index == character then 0 else 1;
          in
          row ++ [ (lib.min (lib.min (edge + 1) (builtins.elemAt above (index + 1) + 1)) (builtins.elemAt above index + cost)) ]
        ) [ rowNumber ] (builtins.genList lib.id width);
      rows = builtins.foldl' (state: character: {
        number = state.number + 1;
        row = nextRow state.row (state.number + 1) character;
      }) { number = 0; row = builtins.genList lib.id (width + 1); } (letters left);
    in
    builtins.elemAt rows.row width;
  levenshteinAtMost =
    limit: left: right:
    let
      difference = stringLength left - stringLength right;
    in
    difference <= limit && -difference <= limit && levenshtein left right <= limit;
  commonPrefixLength =
    left: right:
    let
      end = lib.min (stringLength left) (stringLength right);
      go = index: if index < end && substring index 1 left == substring index 1 right then go (index + 1) else index;
    in
    go 0;

  keywords = lib.genAttrs [ "assert" "else" "if" "in" "inherit" "let" "or" "rec" "then" "with" ] (_: null);
  # Code point as text → character, for ASCII.
  asciiTable = builtins.listToAttrs (
    map (number: {
      name = toString number;
      value = builtins.fromJSON "\"\\u00${lib.toLower (fixedWidthString 2 "0" (lib.toHexString number))}\"";
    }) (lib.range 1 127)
  );
}
