# Lists.
{ lib }:
let
  inherit (builtins)
    length
    elemAt
    genList
    foldl'
    isList
    listToAttrs
    ;
in
rec {
  inherit (builtins)
    head
    tail
    length
    elem
    elemAt
    filter
    any
    all
    map
    foldl'
    concatLists
    concatMap
    genList
    partition
    groupBy
    sort
    ;

  singleton = value: [ value ];
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];
  toList = value: if isList value then value else [ value ];
  forEach = values: function: map function values;
  range = first: last: if first > last then [ ] else genList (index: first + index) (last - first + 1);
  replicate = count: value: genList (_: value) count;
  imap0 = function: values: genList (index: function index (elemAt values index)) (length values);
  imap1 = function: imap0 (index: function (index + 1));
  last =
    values:
    if values == [ ] then
      throw "lists.last: list must not be empty!"
    else
      elemAt values (length values - 1);
  init = values: if values == [ ] then throw "lists.init: list must not be empty!" else take (length values - 1) values;
  sublist =
    start: count: values:
    let
      left = length values - start;
    in
    genList (index: elemAt values (start + index)) (if left < 0 then 0 else if count < left then count else left);
  take = sublist 0;
  takeEnd = count: values: sublist (lib.max 0 (length values - count)) count values;
  drop = count: values: sublist count (length values) values;
  dropEnd = count: values: take (lib.max 0 (length values - count)) values;
  reverseList =
    values:
    let
      end = length values - 1;
    in
    genList (index: elemAt values (end - index)) (end + 1);
  flatten = value: if isList value then builtins.concatMap flatten value else [ value ];
  remove = value: builtins.filter (entry: entry != value);
  count = test: values: length (builtins.filter test values);
  findFirst =
    test: default: values:
    let
      search =
        index:
        if index == length values then
          default
        else if test (elemAt values index) then
          elemAt values index
        else
          search (index + 1);
    in
    search 0;
  findSingle =
    test: none: several: values:
    let
      found = builtins.filter test values;
    in
    if found == [ ] then none else if length found == 1 then builtins.head found else several;
  foldr =
    function: end: values:
    let
      go = index: if index == length values then end else function (elemAt values index) (go (index + 1));
    in
    go 0;
  fold = foldr;
  foldl =
    function: start: values:
    let
      go = index: if index < 0 then start else function (go (index - 1)) (elemAt values index);
    in
    go (length values - 1);
  zipListsWith =
    function: left: right:
    genList (index: function (elemAt left index) (elemAt right index)) (lib.min (length left) (length right));
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  crossLists = function: foldl' (functions: values: builtins.concatMap (one: map one values) functions) [ function ];

  # Strings are kept apart by a set, everything else by comparing.
  unique =
    values:
    if builtins.all builtins.isString values then
      let
        name = builtins.unsafeDiscardStringContext;
        firsts = listToAttrs (imap0 (index: value: { name = name value; value = index; }) values);
      in
      lib.concatLists (imap0 (index: value: optional (firsts.${name value} == index) value) values)
    else
      foldl' (seen: value: if builtins.elem value seen then seen else seen ++ [ value ]) [ ] values;
  uniqueStrings = values: builtins.attrNames (listToAttrs (map (name: { inherit name; value = null; }) values));
  allUnique = values: length (unique values) == length values;
  intersectLists = left: builtins.filter (value: builtins.elem value left);
  subtractLists = away: builtins.filter (value: !builtins.elem value away);
  mutuallyExclusive = left: right: !(builtins.any (value: builtins.elem value right) left);
  sortOn =
    key: values:
    let
      keyed = map (value: { key = key value; inherit value; }) values;
    in
    map (pair: pair.value) (builtins.sort (left: right: left.key < right.key) keyed);
  naturalSort = builtins.sort (left: right: builtins.compareVersions left right < 0);
  hasPrefixList = prefix: values: take (length prefix) values == prefix;
  compareLists =
    compare: left: right:
    if left == [ ] then
      (if right == [ ] then 0 else -1)
    else if right == [ ] then
      1
    else
      let
        first = compare (builtins.head left) (builtins.head right);
      in
      if first == 0 then compareLists compare (builtins.tail left) (builtins.tail right) else first;
  toposort =
    before: values:
    let
      place =
        rest: done:
        if rest == [ ] then
          { result = done; }
        else
          let
            free = builtins.filter (value: !(builtins.any (other: other != value && before other value) rest)) rest;
          in
          if free == [ ] then
            { cycle = rest; loops = rest; }
          else
            place (remove (builtins.head free) rest) (done ++ [ (builtins.head free) ]);
    in
    place values [ ];
}
