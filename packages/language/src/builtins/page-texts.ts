/** The pages of the builtins by name. Made by scripts/builtin-pages.ts; edit pages/NAME.md instead. */
export const pageTexts: ReadonlyMap<string, string> = new Map([
  [
    "abort",
    "# builtins.abort *s*\n\n- type: `string -> never`\n- since: 0.10\n\nStops the evaluation with the message *s*. Unlike an error of `throw`, this one passes through `tryEval`.\n\n```nix\nabort \"no way on\"\n# error: evaluation aborted with the following error message: 'no way on'\n```\n",
  ],
  [
    "add",
    "# builtins.add *e1* *e2*\n\n- type: `number -> number -> number`\n- since: 0.10\n\nThe sum of two numbers. Two integers give an integer, and an error when it does not fit 64 bits; with a float on either side the sum is a float. The function behind `+` on numbers.\n\n```nix\nbuiltins.add 40 2\n# => 42\n```\n\n```nix\nbuiltins.add 1 0.5\n# => 1.5\n```\n",
  ],
  [
    "addDrvOutputDependencies",
    "# builtins.addDrvOutputDependencies *s*\n\n- type: `string -> string`\n- since: 2.19\n\nGives *s* with its context changed: the one element must be a plain reference to a store derivation (`.drv`), and becomes a reference to that derivation with its whole closure and all outputs, as `drvPath` has it. It undoes `unsafeDiscardOutputDependency`.\n\n```nix\nlet drv = derivation { name = \"x\"; builder = \"/bin/sh\"; system = \"x86_64-linux\"; };\nin builtins.getContext (builtins.addDrvOutputDependencies (builtins.unsafeDiscardOutputDependency drv.drvPath)) == builtins.getContext drv.drvPath\n# => true\n```\n",
  ],
  [
    "addErrorContext",
    "# builtins.addErrorContext *e1* *e2*\n\n- type: `string -> a -> a`\n- since: 0.13\n\nThe value *e2*. If evaluating it fails, the trace of the error gets the line *e1*.\n\n```nix\nbuiltins.addErrorContext \"while counting sheep\" (1 + 2)\n# => 3\n```\n",
  ],
  [
    "all",
    "# builtins.all *pred* *list*\n\n- type: `(a -> bool) -> [a] -> bool`\n- since: 1.10\n\nWhether *pred* holds for every element of *list*; true for the empty list. Stops at the first element for which it does not.\n\n```nix\nbuiltins.all (x: x > 0) [ 1 2 3 ]\n# => true\n```\n",
  ],
  [
    "any",
    "# builtins.any *pred* *list*\n\n- type: `(a -> bool) -> [a] -> bool`\n- since: 1.10\n\nWhether *pred* holds for some element of *list*; false for the empty list. Stops at the first element for which it does.\n\n```nix\nbuiltins.any (x: x > 2) [ 1 2 3 ]\n# => true\n```\n",
  ],
  [
    "appendContext",
    "# builtins.appendContext *s* *context*\n\n- type: `string -> set -> string`\n- since: 2.3\n\nAdds references to the context of the string *s*. *context* has the layout that `getContext` gives: an attribute per store path, each a set that may have `path` and `allOutputs` (booleans) and `outputs` (names of outputs of a derivation).\n\n```nix\nbuiltins.appendContext \"text\" { } == \"text\"\n# => true\n```\n",
  ],
  [
    "attrNames",
    "# builtins.attrNames *set*\n\n- type: `set -> [string]`\n- since: 0.11\n\nThe names of the attributes of *set*, sorted byte by byte.\n\n```nix\nbuiltins.attrNames { y = 1; x = 2; Z = 3; }\n# => [ \"Z\" \"x\" \"y\" ]\n```\n",
  ],
  [
    "attrValues",
    "# builtins.attrValues *set*\n\n- type: `set -> [a]`\n- since: 1.8\n\nThe values of *set* in the order of their names, so that they match `attrNames`.\n\n```nix\nbuiltins.attrValues { y = \"second\"; x = \"first\"; }\n# => [ \"first\" \"second\" ]\n```\n",
  ],
  [
    "baseNameOf",
    "# builtins.baseNameOf *x*\n\n- type: `string or path -> string`\n- since: 0.6 or earlier\n\nWhat follows the last slash of *x*; one slash at the end is not counted. The context of a string is kept.\n\n```nix\nbaseNameOf \"/etc/nix/nix.conf\"\n# => \"nix.conf\"\n```\n\n```nix\nbaseNameOf /etc/nix\n# => \"nix\"\n```\n",
  ],
  [
    "bitAnd",
    "# builtins.bitAnd *e1* *e2*\n\n- type: `int -> int -> int`\n- since: 2.1\n\nThe bitwise and of two integers.\n\n```nix\nbuiltins.bitAnd 12 10\n# => 8\n```\n",
  ],
  [
    "bitOr",
    "# builtins.bitOr *e1* *e2*\n\n- type: `int -> int -> int`\n- since: 2.1\n\nThe bitwise or of two integers.\n\n```nix\nbuiltins.bitOr 12 10\n# => 14\n```\n",
  ],
  [
    "bitXor",
    "# builtins.bitXor *e1* *e2*\n\n- type: `int -> int -> int`\n- since: 2.1\n\nThe bitwise exclusive or of two integers.\n\n```nix\nbuiltins.bitXor 12 10\n# => 6\n```\n",
  ],
  [
    "break",
    "# builtins.break *v*\n\n- type: `a -> a`\n- since: 2.9\n\nThe value *v*. In the debugger the evaluation pauses here and can be looked at.\n\n```nix\nbuiltins.break \"value\"\n# => \"value\"\n```\n",
  ],
  [
    "builtins",
    "# builtins.builtins\n\n- type: `set`\n- since: 0.10\n\nThe set of all builtins. Testing for a name tells whether this Nix has it.\n\n```nix\nbuiltins ? groupBy\n# => true\n```\n",
  ],
  [
    "catAttrs",
    "# builtins.catAttrs *attr* *list*\n\n- type: `string -> [set] -> [a]`\n- since: 1.8\n\nThe values of the attribute *attr* of those sets in *list* that have it, in order.\n\n```nix\nbuiltins.catAttrs \"v\" [ { v = 1; } { w = 2; } { v = 3; } ]\n# => [ 1 3 ]\n```\n",
  ],
  [
    "ceil",
    "# builtins.ceil *number*\n\n- type: `number -> int`\n- since: 2.4\n\nThe smallest integer that is not less than *number*. Numbers beyond 64 bits, infinities and NaN are errors.\n\n```nix\nmap builtins.ceil [ 1.2 (0 - 1.2) 3 ]\n# => [ 2 -1 3 ]\n```\n",
  ],
  [
    "compareVersions",
    "# builtins.compareVersions *s1* *s2*\n\n- type: `string -> string -> int`\n- since: 0.12\n\nCompares two version numbers component by component, as `splitVersion` cuts them: -1 when *s1* is older, 0 when they are equal, 1 when it is newer. Numbers compare as numbers; `pre` comes before everything, an absent component before all but `pre`.\n\n```nix\nbuiltins.compareVersions \"1.10\" \"1.9\"\n# => 1\n```\n\n```nix\nbuiltins.compareVersions \"2.0pre1\" \"2.0\"\n# => -1\n```\n",
  ],
  [
    "concatLists",
    "# builtins.concatLists *lists*\n\n- type: `[[a]] -> [a]`\n- since: 1.2\n\nOne list of the elements of all *lists* in turn.\n\n```nix\nbuiltins.concatLists [ [ 1 2 ] [ ] [ 3 ] ]\n# => [ 1 2 3 ]\n```\n",
  ],
  [
    "concatMap",
    "# builtins.concatMap *f* *list*\n\n- type: `(a -> [b]) -> [a] -> [b]`\n- since: 2.1\n\nApplies *f* to every element and joins the lists that it gives.\n\n```nix\nbuiltins.concatMap (x: [ x (x * 10) ]) [ 1 2 ]\n# => [ 1 10 2 20 ]\n```\n",
  ],
  [
    "concatStringsSep",
    "# builtins.concatStringsSep *separator* *list*\n\n- type: `string -> [string] -> string`\n- since: 1.10\n\nJoins the strings in *list* with *separator* between them. What can be interpolated, such as paths and sets with `outPath`, counts as a string.\n\n```nix\nbuiltins.concatStringsSep \", \" [ \"a\" \"b\" \"c\" ]\n# => \"a, b, c\"\n```\n",
  ],
  [
    "convertHash",
    "# builtins.convertHash *args*\n\n- type: `set -> string`\n- since: 2.19\n\nWrites a hash in another encoding. *args* has\n\n- `hash`: the hash, in any encoding, with or without its algorithm in front;\n- `toHashFormat`: `base16`, `nix32`, `base64` or `sri` (`base32` is an old name of `nix32`);\n- `hashAlgo`: the algorithm, needed where `hash` does not name it.\n\n```nix\nbuiltins.convertHash { hash = \"d41d8cd98f00b204e9800998ecf8427e\"; hashAlgo = \"md5\"; toHashFormat = \"sri\"; }\n# => \"md5-1B2M2Y8AsgTpgAmY7PhCfg==\"\n```\n",
  ],
  [
    "currentSystem",
    "# builtins.currentSystem\n\n- type: `string`\n- since: 0.8\n- impure only: yes\n\nThe system that evaluations are for by default, such as `x86_64-linux`; the setting `eval-system` or else `system`. Pure evaluation does not have it.\n\n```nix\nbuiltins.isString (builtins.currentSystem or \"\")\n# => true\n```\n",
  ],
  [
    "currentTime",
    "# builtins.currentTime\n\n- type: `integer`\n- since: 0.9\n- impure only: yes\n\nSeconds since the start of 1970, read once for an evaluation. Pure evaluation does not have it.\n\n```nix\nbuiltins.isInt (builtins.currentTime or 0)\n# => true\n```\n",
  ],
  [
    "deepSeq",
    "# builtins.deepSeq *e1* *e2*\n\n- type: `a -> b -> b`\n- since: 1.8\n\nEvaluates *e1* with everything inside it, then gives *e2*.\n\n```nix\n(builtins.tryEval (builtins.deepSeq { x = [ (throw \"inside\") ]; } \"fine\")).success\n# => false\n```\n",
  ],
  [
    "derivation",
    "# builtins.derivation *attrs*\n\n- type: `set -> set`\n- since: 0.6 or earlier\n\nDescribes a build. *attrs* needs `name`, `builder` and `system`; `args` are the builder's arguments, `outputs` the names of its results, and every other attribute becomes a variable of its environment, strings made of what can be one. The result is *attrs* with `type = \"derivation\"`, `drvPath`, `outPath` and one attribute for each output. Nothing is built by evaluating it.\n\n```nix\n(derivation { name = \"demo\"; builder = \"/bin/sh\"; system = \"x86_64-linux\"; }).type\n# => \"derivation\"\n```\n",
  ],
  [
    "derivationStrict",
    "# builtins.derivationStrict *attrs*\n\n- type: `set -> set`\n- since: 0.16\n\nWhat `derivation` does its work with: evaluates all of *attrs*, stores the derivation and gives a set of `drvPath` and the path of every output.\n\n```nix\nbuiltins.attrNames (builtins.derivationStrict { name = \"demo\"; builder = \"/bin/sh\"; system = \"x86_64-linux\"; outputs = [ \"out\" \"doc\" ]; })\n# => [ \"doc\" \"drvPath\" \"out\" ]\n```\n",
  ],
  [
    "dirOf",
    "# builtins.dirOf *s*\n\n- type: `string or path -> string or path`\n- since: 0.9\n\nWhat precedes the last slash of *s*: `.` when there is none. A path gives a path, a string a string.\n\n```nix\ndirOf \"/etc/nix/nix.conf\"\n# => \"/etc/nix\"\n```\n\n```nix\ndirOf \"file\"\n# => \".\"\n```\n",
  ],
  [
    "div",
    "# builtins.div *e1* *e2*\n\n- type: `number -> number -> number`\n- since: 0.12\n\nThe quotient of two numbers. Integers divide towards zero; dividing by zero is an error, for floats as well.\n\n```nix\n[ (builtins.div 7 2) (builtins.div 7 2.0) ]\n# => [ 3 3.5 ]\n```\n",
  ],
  [
    "elem",
    "# builtins.elem *x* *xs*\n\n- type: `a -> [a] -> bool`\n- since: 1.2\n\nWhether the list *xs* has an element equal to *x*.\n\n```nix\nbuiltins.elem 2 [ 1 2 3 ]\n# => true\n```\n",
  ],
  [
    "elemAt",
    "# builtins.elemAt *xs* *n*\n\n- type: `[a] -> int -> a`\n- since: 1.2\n\nElement *n* of the list *xs*, counted from 0; outside the list is an error.\n\n```nix\nbuiltins.elemAt [ \"a\" \"b\" \"c\" ] 1\n# => \"b\"\n```\n",
  ],
  [
    "exec",
    "# builtins.exec *command*\n\n- type: `[string] -> a`\n- since: 2.0\n- setting: `allow-unsafe-native-code-during-evaluation`\n\nRuns a program during evaluation and evaluates what it prints as an expression. *command* is the program and its arguments. It exists only when `allow-unsafe-native-code-during-evaluation` is set, as an evaluation can then do whatever its user can.\n\n```nix\nbuiltins.exec [ \"echo\" \"1 + 2\" ]\n```\n",
  ],
  [
    "false",
    "# builtins.false\n\n- type: `Boolean`\n- since: 0.6 or earlier\n\nThe boolean value for no. It is a name of the outermost scope, not a keyword.\n\n```nix\nif false then 1 else 2\n# => 2\n```\n",
  ],
  [
    "fetchClosure",
    "# builtins.fetchClosure *args*\n\n- type: `set -> string`\n- since: 2.8\n- experimental feature: `fetch-closure`\n\nCopies a store path with everything it refers to from a binary cache into the store and gives it as a string with context. *args* has\n\n- `fromStore`: the URL of the cache (`https://` or `http://`);\n- `fromPath`: the store path there;\n- `toPath`: the content-addressed path that it becomes here; with the empty string the error says which one that is;\n- `inputAddressed = true`: take a path that is not content-addressed as it is; its signatures must be trusted then.\n\n```nix\nbuiltins.fetchClosure {\n  fromStore = \"https://cache.nixos.org\";\n  fromPath = /nix/store/r2jd6ygnmirm2g803mksqqjm4y39yi6i-git-2.33.1;\n  toPath = /nix/store/ldbhlwhh39wha58rm61bkiiwm6j7211j-git-2.33.1;\n}\n```\n",
  ],
  [
    "fetchGit",
    "# builtins.fetchGit *args*\n\n- type: `set or string or path -> set`\n- since: 2.0\n\nFetches a Git repository into the store and gives a set with `outPath`, `rev`, `shortRev`, `revCount`, `lastModified`, `lastModifiedDate`, `narHash` and `submodules`. *args* is the URL alone, or a set with\n\n- `url`; `name` of the store path (`source`);\n- `rev` (a commit) and `ref` (a branch or tag; `HEAD`);\n- `submodules`, `shallow`, `allRefs`, `exportIgnore`, `lfs` (booleans).\n\nOf a local work tree with changes the tracked files are taken as they are. Pure evaluation needs `rev`.\n\n```nix\n(builtins.fetchGit {\n  url = \"https://github.com/NixOS/nix.git\";\n  rev = \"841fcbd04755c7a2865c51c1e2d3b045976b7452\";\n}).outPath\n```\n",
  ],
  [
    "fetchMercurial",
    "# builtins.fetchMercurial *args*\n\n- type: `set or string or path -> set`\n- since: 2.0\n\nFetches a Mercurial repository into the store and gives a set with `outPath`, `branch`, `rev`, `shortRev` and `revCount`. *args* is the URL alone, or a set with `url`, `rev` (a revision, branch or tag) and `name`.\n\n```nix\nbuiltins.fetchMercurial { url = \"https://www.mercurial-scm.org/repo/hello\"; rev = \"82e55d328c8ca4ee16520036c0aaace03a5beb65\"; }\n```\n",
  ],
  [
    "fetchTarball",
    "# builtins.fetchTarball *args*\n\n- type: `set or string -> string`\n- since: 1.9\n\nDownloads an archive, unpacks it and gives the path of the tree in the store. A single directory at the top is stripped. *args* is the URL, or a set with `url`, `sha256` (the NAR hash of the tree; pure evaluation needs it) and `name`. Without a hash the archive is looked at again after `tarball-ttl`.\n\n```nix\nfetchTarball {\n  url = \"https://github.com/NixOS/nixpkgs/archive/nixos-24.05.tar.gz\";\n  sha256 = \"0000000000000000000000000000000000000000000000000000\";\n}\n```\n",
  ],
  [
    "fetchTree",
    "# builtins.fetchTree *input*\n\n- type: `set or string -> set`\n- since: 2.4\n- experimental feature: `fetch-tree`\n\nFetches a tree or file with any of the fetchers and gives a set with its `outPath` and what the fetcher knows: `narHash`, `lastModified`, `rev` and others. *input* is a set whose `type` names the fetcher (`git`, `github`, `gitlab`, `sourcehut`, `tarball`, `file`, `path`, `indirect`) and has its attributes, or, with the feature `flakes`, a URL-like flake reference. Pure evaluation needs an input that is locked.\n\n```nix\n(builtins.fetchTree { type = \"github\"; owner = \"NixOS\"; repo = \"nixpkgs\"; rev = \"ae2e6b3958682513d28f7d633734571fb18285dd\"; }).narHash\n```\n",
  ],
  [
    "fetchurl",
    "# builtins.fetchurl *arg*\n\n- type: `set or string -> string`\n- since: 1.9\n\nDownloads one file during evaluation and gives its path in the store. *arg* is the URL, or a set with `url`, `sha256` (of the file; pure evaluation needs it) and `name`.\n\n```nix\nbuiltins.fetchurl \"https://nixos.org/index.html\"\n```\n",
  ],
  [
    "filter",
    "# builtins.filter *f* *list*\n\n- type: `(a -> bool) -> [a] -> [a]`\n- since: 1.2\n\nThe elements of *list* for which *f* gives true, in order.\n\n```nix\nbuiltins.filter (x: x > 1) [ 3 1 2 ]\n# => [ 3 2 ]\n```\n",
  ],
  [
    "filterSource",
    "# builtins.filterSource *e1* *e2*\n\n- type: `(string -> string -> bool) -> path -> string`\n- since: 0.11\n\nCopies the path *e2* into the store without the files for which the function *e1* gives false. It is called with the full path and the type (`regular`, `directory`, `symlink` or `unknown`) of everything below *e2*; a directory that is left out is not entered. `path` does the same and more.\n\n```nix\nbuiltins.filterSource (path: type: type != \"directory\" || baseNameOf path != \".git\") ./source\n```\n",
  ],
  [
    "findFile",
    "# builtins.findFile *search-path* *lookup-path*\n\n- type: `[set] -> string -> path`\n- since: 1.8\n\nLooks up a name in a search path, as `<name>` does with `nixPath`. *search-path* is a list of sets with `prefix` and `path`. The first entry whose prefix fits and under which the rest exists wins; none is an error that `tryEval` catches.\n\n```nix\n(builtins.tryEval (builtins.findFile [ ] \"nowhere\")).success\n# => false\n```\n",
  ],
  [
    "flakeRefToString",
    "# builtins.flakeRefToString *attrs*\n\n- type: `set -> string`\n- since: 2.18\n- experimental feature: `flakes`\n\nThe URL-like form of a flake reference given as a set; the reverse of `parseFlakeRef`.\n\n```nix\nbuiltins.flakeRefToString { type = \"github\"; owner = \"NixOS\"; repo = \"nixpkgs\"; ref = \"nixos-24.05\"; }\n# => \"github:NixOS/nixpkgs/nixos-24.05\"\n```\n",
  ],
  [
    "floor",
    "# builtins.floor *number*\n\n- type: `number -> int`\n- since: 2.4\n\nThe largest integer that is not greater than *number*. Numbers beyond 64 bits, infinities and NaN are errors.\n\n```nix\nmap builtins.floor [ 1.8 (0 - 1.2) 3 ]\n# => [ 1 -2 3 ]\n```\n",
  ],
  [
    "foldl'",
    "# builtins.foldl' *op* *nul* *list*\n\n- type: `(b -> a -> b) -> b -> [a] -> b`\n- since: 1.10\n\nGoes through *list* from the left: `op (op (op nul x0) x1) x2` and so on. Each result is evaluated before the next step, *nul* only when *op* asks for it.\n\n```nix\nbuiltins.foldl' (sum: x: sum + x) 0 [ 1 2 3 ]\n# => 6\n```\n",
  ],
  [
    "fromJSON",
    "# builtins.fromJSON *e*\n\n- type: `string -> a`\n- since: 1.8\n\nThe value that a JSON text stands for. Numbers without fraction and exponent become integers when they fit 64 bits, others floats.\n\n```nix\nbuiltins.fromJSON ''{ \"x\": [1, 2.5, null], \"y\": \"text\" }''\n# => { x = [ 1 2.5 null ]; y = \"text\"; }\n```\n",
  ],
  [
    "fromTOML",
    "# builtins.fromTOML *e*\n\n- type: `string -> set`\n- since: 2.1\n\nThe value that a TOML 1.0 text stands for. Dates and times are errors unless the experimental feature `parse-toml-timestamps` is on; then they become sets with `_type = \"timestamp\"` and `value`.\n\n```nix\nbuiltins.fromTOML ''\n  title = \"example\"\n  [server]\n  ports = [ 80, 443 ]\n''\n# => { server = { ports = [ 80 443 ]; }; title = \"example\"; }\n```\n",
  ],
  [
    "functionArgs",
    "# builtins.functionArgs *f*\n\n- type: `function -> set`\n- since: 0.13\n\nFor a function with a set pattern: its argument names, each with whether it has a default. Other functions give the empty set. A set with `__functionArgs` answers with that.\n\n```nix\nbuiltins.functionArgs ({ x, y ? 1, ... }: x)\n# => { x = false; y = true; }\n```\n",
  ],
  [
    "genList",
    "# builtins.genList *generator* *length*\n\n- type: `(int -> a) -> int -> [a]`\n- since: 1.10\n\nA list of *length* elements, made by calling *generator* with 0, 1, 2 and so on.\n\n```nix\nbuiltins.genList (i: i * i) 4\n# => [ 0 1 4 9 ]\n```\n",
  ],
  [
    "genericClosure",
    "# builtins.genericClosure *attrset*\n\n- type: `set -> [set]`\n- since: 0.12\n\nEverything that can be reached. *attrset* has `startSet`, a list of sets, and `operator`, a function that gives the list of neighbours of one of them. The sets are told apart by their attribute `key` (anything that can be compared); each comes once, in the order in which it was found.\n\n```nix\nmap (item: item.key) (builtins.genericClosure {\n  startSet = [ { key = 5; } ];\n  operator = item: if item.key < 2 then [ ] else [ { key = item.key / 2; } { key = 1; } ];\n})\n# => [ 5 2 1 ]\n```\n",
  ],
  [
    "getAttr",
    "# builtins.getAttr *s* *set*\n\n- type: `string -> set -> a`\n- since: 0.10\n\nThe attribute of *set* with the name *s*; without one an error. The operator `.` as a function.\n\n```nix\nbuiltins.getAttr \"x\" { x = 1; }\n# => 1\n```\n",
  ],
  [
    "getContext",
    "# builtins.getContext *s*\n\n- type: `string -> set`\n- since: 2.3\n\nWhat the string *s* refers to: an attribute per store path, each a set with `path = true` for the path itself, `allOutputs = true` for a derivation with its closure, `outputs` for outputs of a derivation.\n\n```nix\nbuiltins.getContext \"plain\"\n# => { }\n```\n",
  ],
  [
    "getEnv",
    "# builtins.getEnv *s*\n\n- type: `string -> string`\n- since: 0.10\n\nThe environment variable named *s*; the empty string when it is not set, and always in pure and restricted evaluation.\n\n```nix\nbuiltins.getEnv \"SURELY_NOT_SET_ANYWHERE\"\n# => \"\"\n```\n",
  ],
  [
    "getFlake",
    "# builtins.getFlake *args*\n\n- type: `string -> set`\n- since: 2.4\n- experimental feature: `flakes`\n\nFetches the flake that a reference names and gives its outputs, with `inputs`, `sourceInfo` and the like. Pure evaluation needs a locked reference.\n\n```nix\n(builtins.getFlake \"github:NixOS/nixpkgs/ae2e6b3958682513d28f7d633734571fb18285dd\").lib.version\n```\n",
  ],
  [
    "groupBy",
    "# builtins.groupBy *f* *list*\n\n- type: `(a -> string) -> [a] -> set`\n- since: 2.5\n\nA set of lists: each element of *list* goes to the attribute whose name *f* gives for it, in order.\n\n```nix\nbuiltins.groupBy (x: if x > 2 then \"large\" else \"small\") [ 1 4 2 3 ]\n# => { large = [ 4 3 ]; small = [ 1 2 ]; }\n```\n",
  ],
  [
    "hasAttr",
    "# builtins.hasAttr *s* *set*\n\n- type: `string -> set -> bool`\n- since: 0.10\n\nWhether *set* has an attribute with the name *s*. The operator `?` with a computed name.\n\n```nix\nbuiltins.hasAttr \"x\" { x = null; }\n# => true\n```\n",
  ],
  [
    "hasContext",
    "# builtins.hasContext *s*\n\n- type: `string -> bool`\n- since: 2.0\n\nWhether the string *s* refers to anything in the store.\n\n```nix\nbuiltins.hasContext \"plain\"\n# => false\n```\n",
  ],
  [
    "hashFile",
    "# builtins.hashFile *type* *p*\n\n- type: `string -> path -> string`\n- since: 2.3\n\nThe hash of the contents of the file *p* in base 16. *type* is `md5`, `sha1`, `sha256` or `sha512` (`blake3` with the experimental feature `blake3-hashes`).\n\n```nix\nbuiltins.hashFile \"sha256\" ./flake.nix\n```\n",
  ],
  [
    "hashString",
    "# builtins.hashString *type* *s*\n\n- type: `string -> string -> string`\n- since: 1.4\n\nThe hash of the string *s* in base 16. *type* as for `hashFile`.\n\n```nix\nbuiltins.hashString \"sha256\" \"abc\"\n# => \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\n```\n",
  ],
  [
    "head",
    "# builtins.head *list*\n\n- type: `[a] -> a`\n- since: 0.10\n\nThe first element of *list*; of the empty list an error.\n\n```nix\nbuiltins.head [ 1 2 3 ]\n# => 1\n```\n",
  ],
  [
    "import",
    "# builtins.import *path*\n\n- type: `path or string -> a`\n- since: 0.6 or earlier\n\nEvaluates the file *path*, or the file `default.nix` in it when it is a directory. A file is evaluated once for an evaluation. A string that refers to an output that is not built yet makes it be built first. A store derivation (`.drv`) gives the set that describes it.\n\n```nix\nimport ./lib.nix\n```\n",
  ],
  [
    "importNative",
    "# builtins.importNative *path* *symbol*\n\n- type: `path -> string -> a`\n- since: 1.8\n- setting: `allow-unsafe-native-code-during-evaluation`\n\nIn Nix this loads a shared library written in C++ against Nix's own interfaces. Firn has no such interfaces: the builtin exists, with the setting on, and says so when it is called.\n\n```nix\nbuiltins.importNative ./plugin.so \"init\"\n```\n",
  ],
  [
    "intersectAttrs",
    "# builtins.intersectAttrs *e1* *e2*\n\n- type: `set -> set -> set`\n- since: 0.13\n\nThe attributes of *e2* whose names *e1* has too.\n\n```nix\nbuiltins.intersectAttrs { a = 1; b = 2; } { b = 3; c = 4; }\n# => { b = 3; }\n```\n",
  ],
  [
    "isAttrs",
    "# builtins.isAttrs *e*\n\n- type: `a -> bool`\n- since: 0.11\n\nWhether *e* is a set.\n\n```nix\nbuiltins.isAttrs { }\n# => true\n```\n",
  ],
  [
    "isBool",
    "# builtins.isBool *e*\n\n- type: `a -> bool`\n- since: 0.13\n\nWhether *e* is a boolean.\n\n```nix\nbuiltins.isBool false\n# => true\n```\n",
  ],
  [
    "isFloat",
    "# builtins.isFloat *e*\n\n- type: `a -> bool`\n- since: 2.0\n\nWhether *e* is a floating-point number.\n\n```nix\n[ (builtins.isFloat 1.0) (builtins.isFloat 1) ]\n# => [ true false ]\n```\n",
  ],
  [
    "isFunction",
    "# builtins.isFunction *e*\n\n- type: `a -> bool`\n- since: 0.11\n\nWhether *e* is a function. A set with `__functor` can be called but is a set.\n\n```nix\n[ (builtins.isFunction (x: x)) (builtins.isFunction { __functor = self: x: x; }) ]\n# => [ true false ]\n```\n",
  ],
  [
    "isInt",
    "# builtins.isInt *e*\n\n- type: `a -> bool`\n- since: 0.13\n\nWhether *e* is an integer.\n\n```nix\n[ (builtins.isInt 1) (builtins.isInt 1.0) ]\n# => [ true false ]\n```\n",
  ],
  [
    "isList",
    "# builtins.isList *e*\n\n- type: `a -> bool`\n- since: 0.10\n\nWhether *e* is a list.\n\n```nix\nbuiltins.isList [ ]\n# => true\n```\n",
  ],
  [
    "isNull",
    "# builtins.isNull *e*\n\n- type: `a -> bool`\n- since: 0.6 or earlier\n\nWhether *e* is `null`. Old; `e == null` says the same.\n\n```nix\nisNull null\n# => true\n```\n",
  ],
  [
    "isPath",
    "# builtins.isPath *e*\n\n- type: `a -> bool`\n- since: 2.3\n\nWhether *e* is a path; a string that looks like one is not.\n\n```nix\n[ (builtins.isPath /etc) (builtins.isPath \"/etc\") ]\n# => [ true false ]\n```\n",
  ],
  [
    "isString",
    "# builtins.isString *e*\n\n- type: `a -> bool`\n- since: 0.13\n\nWhether *e* is a string.\n\n```nix\nbuiltins.isString \"text\"\n# => true\n```\n",
  ],
  [
    "langVersion",
    "# builtins.langVersion\n\n- type: `integer`\n- since: 1.2\n\nThe version of the language, a number that hardly ever changes.\n\n```nix\nbuiltins.langVersion\n# => 6\n```\n",
  ],
  [
    "length",
    "# builtins.length *e*\n\n- type: `[a] -> int`\n- since: 0.12\n\nThe number of elements of a list.\n\n```nix\nbuiltins.length [ 1 2 3 ]\n# => 3\n```\n",
  ],
  [
    "lessThan",
    "# builtins.lessThan *e1* *e2*\n\n- type: `a -> a -> bool`\n- since: 0.10\n\nWhether *e1* is less than *e2*: the function behind `<`, `<=`, `>` and `>=`. It compares numbers with each other, strings byte by byte, paths, and lists element by element.\n\n```nix\n[ (builtins.lessThan 1 1.5) (builtins.lessThan \"b\" \"a\") (builtins.lessThan [ 1 2 ] [ 1 3 ]) ]\n# => [ true false true ]\n```\n",
  ],
  [
    "listToAttrs",
    "# builtins.listToAttrs *e*\n\n- type: `[set] -> set`\n- since: 0.11\n\nMakes a set of a list of sets with `name` and `value`. Of several with one name the first counts.\n\n```nix\nbuiltins.listToAttrs [ { name = \"a\"; value = 1; } { name = \"b\"; value = 2; } { name = \"a\"; value = 3; } ]\n# => { a = 1; b = 2; }\n```\n",
  ],
  [
    "map",
    "# builtins.map *f* *list*\n\n- type: `(a -> b) -> [a] -> [b]`\n- since: 0.6 or earlier\n\nApplies *f* to every element of *list*, each when it is needed.\n\n```nix\nmap (x: x * 2) [ 1 2 3 ]\n# => [ 2 4 6 ]\n```\n",
  ],
  [
    "mapAttrs",
    "# builtins.mapAttrs *f* *attrset*\n\n- type: `(string -> a -> b) -> set -> set`\n- since: 2.1\n\nApplies *f* to the name and value of every attribute, each when it is needed.\n\n```nix\nbuiltins.mapAttrs (name: value: \"${name} = ${toString value}\") { a = 1; b = 2; }\n# => { a = \"a = 1\"; b = \"b = 2\"; }\n```\n",
  ],
  [
    "match",
    "# builtins.match *regex* *str*\n\n- type: `string -> string -> [string or null] or null`\n- since: 1.8\n\nMatches the whole of *str* against the POSIX extended regular expression *regex*: `null` when it does not fit, else the list of what the groups in parentheses matched, `null` for one that took no part.\n\n```nix\nbuiltins.match \"([a-z]+)-([0-9.]+)(-dev)?\" \"hello-2.12\"\n# => [ \"hello\" \"2.12\" null ]\n```\n\n```nix\nbuiltins.match \"b\" \"abc\"\n# => null\n```\n",
  ],
  [
    "mul",
    "# builtins.mul *e1* *e2*\n\n- type: `number -> number -> number`\n- since: 0.12\n\nThe product of two numbers; of two integers an error when it does not fit 64 bits.\n\n```nix\nbuiltins.mul 6 7\n# => 42\n```\n",
  ],
  [
    "nixPath",
    "# builtins.nixPath\n\n- type: `list`\n- since: 1.8\n\nThe search path of `<name>`, as a list of sets with `prefix` and `path`: the options `-I`, then `NIX_PATH` or else the setting `nix-path`. Empty in pure evaluation.\n\n```nix\nbuiltins.isList builtins.nixPath\n# => true\n```\n",
  ],
  [
    "nixVersion",
    "# builtins.nixVersion\n\n- type: `string`\n- since: 1.2\n\nThe version of Nix whose language this is.\n\n```nix\nbuiltins.compareVersions builtins.nixVersion \"2.3\" >= 0\n# => true\n```\n",
  ],
  [
    "null",
    "# builtins.null\n\n- type: `null`\n- since: 0.6 or earlier\n\nThe value that stands for nothing. It is a name of the outermost scope, not a keyword.\n\n```nix\n[ null ]\n# => [ null ]\n```\n",
  ],
  [
    "outputOf",
    "# builtins.outputOf *derivation-reference* *output-name*\n\n- type: `string -> string -> string`\n- since: 2.18\n- experimental feature: `dynamic-derivations`\n\nThe output *output-name* of the derivation that *derivation-reference* refers to. That may itself be an output which is still to be built; the result is then a placeholder that stands for the path until it is known.\n\n```nix\nlet drv = derivation { name = \"x\"; builder = \"/bin/sh\"; system = \"x86_64-linux\"; };\nin builtins.outputOf drv.drvPath \"out\"\n```\n",
  ],
  [
    "parseDrvName",
    "# builtins.parseDrvName *s*\n\n- type: `string -> set`\n- since: 0.12\n\nSplits a package's name from its version at the first dash that no letter follows.\n\n```nix\nbuiltins.parseDrvName \"nix-daemon-2.34pre1\"\n# => { name = \"nix-daemon\"; version = \"2.34pre1\"; }\n```\n",
  ],
  [
    "parseFlakeRef",
    "# builtins.parseFlakeRef *flake-ref*\n\n- type: `string -> set`\n- since: 2.18\n- experimental feature: `flakes`\n\nThe parts of a URL-like flake reference as a set.\n\n```nix\nbuiltins.parseFlakeRef \"github:NixOS/nixpkgs/nixos-24.05?dir=lib\"\n# => { dir = \"lib\"; owner = \"NixOS\"; ref = \"nixos-24.05\"; repo = \"nixpkgs\"; type = \"github\"; }\n```\n",
  ],
  [
    "partition",
    "# builtins.partition *pred* *list*\n\n- type: `(a -> bool) -> [a] -> set`\n- since: 2.0\n\nParts a list into `right`, the elements for which *pred* holds, and `wrong`, the others.\n\n```nix\nbuiltins.partition (x: x > 2) [ 1 4 2 3 ]\n# => { right = [ 4 3 ]; wrong = [ 1 2 ]; }\n```\n",
  ],
  [
    "path",
    "# builtins.path *args*\n\n- type: `set -> string`\n- since: 2.0\n\nCopies a file or directory into the store. *args* has\n\n- `path`: what to copy;\n- `name`: its name there (by default the last part of the path);\n- `filter`: a function as for `filterSource`;\n- `recursive`: false hashes the file's bytes alone, without the archive around them (default true);\n- `sha256`: the hash that must come out; with it nothing is read when the store has the result.\n\n```nix\nbuiltins.path { path = ./source; name = \"source\"; filter = path: type: baseNameOf path != \"result\"; }\n```\n",
  ],
  [
    "pathExists",
    "# builtins.pathExists *path*\n\n- type: `path or string -> bool`\n- since: 0.10\n\nWhether something exists at *path*. With a slash at the end it must be a directory.\n\n```nix\nbuiltins.pathExists /no/such/path\n# => false\n```\n",
  ],
  [
    "placeholder",
    "# builtins.placeholder *output*\n\n- type: `string -> string`\n- since: 2.0\n\nA string that stands for the path of the output *output* of the derivation in whose attributes it occurs; the build sees the real path.\n\n```nix\nplaceholder \"out\"\n# => \"/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9\"\n```\n",
  ],
  [
    "readDir",
    "# builtins.readDir *path*\n\n- type: `path or string -> set`\n- since: 1.8\n\nThe entries of a directory: each name with its type, `regular`, `directory`, `symlink` or `unknown`.\n\n```nix\nbuiltins.readDir ./.\n```\n",
  ],
  [
    "readFile",
    "# builtins.readFile *path*\n\n- type: `path or string -> string`\n- since: 0.11\n\nThe contents of a file. References to store paths in a file of the store stay in the string's context. NUL bytes are errors.\n\n```nix\nbuiltins.readFile ./version.txt\n```\n",
  ],
  [
    "readFileType",
    "# builtins.readFileType *p*\n\n- type: `path or string -> string`\n- since: 2.14\n\nThe type of what is at *p*: `regular`, `directory`, `symlink` or `unknown`. Links are not followed.\n\n```nix\nbuiltins.readFileType /.\n# => \"directory\"\n```\n",
  ],
  [
    "removeAttrs",
    "# builtins.removeAttrs *set* *list*\n\n- type: `set -> [string] -> set`\n- since: 0.9\n\n*set* without the attributes that *list* names; names it does not have do not matter.\n\n```nix\nremoveAttrs { a = 1; b = 2; c = 3; } [ \"a\" \"c\" \"x\" ]\n# => { b = 2; }\n```\n",
  ],
  [
    "replaceStrings",
    "# builtins.replaceStrings *from* *to* *s*\n\n- type: `[string] -> [string] -> string -> string`\n- since: 1.10\n\nGoes through *s* once and puts, wherever a string of *from* begins, the string at the same place in *to*. Earlier entries of *from* win; an empty one matches between all characters. Only the replacements that are used get evaluated.\n\n```nix\nbuiltins.replaceStrings [ \"oo\" \"a\" ] [ \"a\" \"i\" ] \"foobar\"\n# => \"fabir\"\n```\n",
  ],
  [
    "scopedImport",
    "# builtins.scopedImport *scope* *path*\n\n- type: `set -> path -> a`\n- since: 1.8\n\nLike `import`, with the attributes of *scope* as names of the outermost scope of the file, before the builtins. Nothing is remembered: each call evaluates the file again.\n\n```nix\nbuiltins.scopedImport { greeting = \"hello\"; } ./greet.nix\n```\n",
  ],
  [
    "seq",
    "# builtins.seq *e1* *e2*\n\n- type: `a -> b -> b`\n- since: 1.8\n\nEvaluates *e1* (only its outermost layer), then gives *e2*.\n\n```nix\nbuiltins.seq { x = throw \"not looked at\"; } \"fine\"\n# => \"fine\"\n```\n",
  ],
  [
    "sort",
    "# builtins.sort *comparator* *list*\n\n- type: `(a -> a -> bool) -> [a] -> [a]`\n- since: 1.10\n\nSorts *list*. *comparator* tells whether its first argument comes before its second; elements of which neither comes before the other keep their order. A comparator that contradicts itself is an error.\n\n```nix\nbuiltins.sort (a: b: a < b) [ 3 1 2 ]\n# => [ 1 2 3 ]\n```\n",
  ],
  [
    "split",
    "# builtins.split *regex* *str*\n\n- type: `string -> string -> [string or [string or null]]`\n- since: 2.0\n\nCuts *str* at every match of the POSIX extended regular expression *regex*: the text between matches alternates with lists of what the groups matched.\n\n```nix\nbuiltins.split \"(b)|-\" \"abc-d\"\n# => [ \"a\" [ \"b\" ] \"c\" [ null ] \"d\" ]\n```\n",
  ],
  [
    "splitVersion",
    "# builtins.splitVersion *s*\n\n- type: `string -> [string]`\n- since: 2.0\n\nThe components of a version: runs of digits and runs of other characters, cut at dots and dashes.\n\n```nix\nbuiltins.splitVersion \"1.2pre3-a\"\n# => [ \"1\" \"2\" \"pre\" \"3\" \"a\" ]\n```\n",
  ],
  [
    "storeDir",
    "# builtins.storeDir\n\n- type: `string`\n- since: 1.9\n\nThe directory of the store, usually `/nix/store`.\n\n```nix\nbuiltins.storeDir\n# => \"/nix/store\"\n```\n",
  ],
  [
    "storePath",
    "# builtins.storePath *path*\n\n- type: `path or string -> string`\n- since: 0.12\n\nRefers to a path that is in the store already: a string with that path, or the store path it lies below, as its context. Pure evaluation does not allow it.\n\n```nix\nbuiltins.storePath /nix/store/ldbhlwhh39wha58rm61bkiiwm6j7211j-git-2.33.1\n```\n",
  ],
  [
    "stringLength",
    "# builtins.stringLength *e*\n\n- type: `string -> int`\n- since: 0.11\n\nThe length of a string in bytes.\n\n```nix\nbuiltins.stringLength \"naïve\"\n# => 6\n```\n",
  ],
  [
    "sub",
    "# builtins.sub *e1* *e2*\n\n- type: `number -> number -> number`\n- since: 0.11\n\nThe difference of two numbers; of two integers an error when it does not fit 64 bits.\n\n```nix\nbuiltins.sub 5 7\n# => -2\n```\n",
  ],
  [
    "substring",
    "# builtins.substring *start* *len* *s*\n\n- type: `int -> int -> string -> string`\n- since: 0.11\n\nThe part of *s* that begins at byte *start* and is *len* bytes long, or shorter when *s* ends before; a negative *len* means to the end. A start beyond the end gives the empty string, a negative one is an error. The context is kept.\n\n```nix\n[ (builtins.substring 2 3 \"abcdefg\") (builtins.substring 4 (-1) \"abcdefg\") ]\n# => [ \"cde\" \"efg\" ]\n```\n",
  ],
  [
    "tail",
    "# builtins.tail *list*\n\n- type: `[a] -> [a]`\n- since: 0.10\n\n*list* without its first element; of the empty list an error. It copies the list: walking through a long one this way is slow.\n\n```nix\nbuiltins.tail [ 1 2 3 ]\n# => [ 2 3 ]\n```\n",
  ],
  [
    "throw",
    "# builtins.throw *s*\n\n- type: `string -> never`\n- since: 0.11\n\nAn error with the message *s*, which `tryEval` catches and commands that list packages skip.\n\n```nix\nthrow \"this system is not supported\"\n# error: this system is not supported\n```\n",
  ],
  [
    "toFile",
    "# builtins.toFile *name* *s*\n\n- type: `string -> string -> string`\n- since: 0.10\n\nStores the text *s* as a file called *name* and gives its path. The text may refer to store paths but not to outputs of derivations.\n\n```nix\nbuiltins.toFile \"greeting\" \"hello\"\n# => \"/nix/store/5akl8zsmda0yrr63v4khwgskih2g2hsh-greeting\"\n```\n",
  ],
  [
    "toJSON",
    "# builtins.toJSON *e*\n\n- type: `a -> string`\n- since: 1.7\n\nThe JSON text of a value: sets with names in order, `__toString` and `outPath` used where a set has them, paths copied into the store. Functions are errors.\n\n```nix\nbuiltins.toJSON { b = [ 1 2.5 null ]; a = \"text\"; }\n# => \"{\\\"a\\\":\\\"text\\\",\\\"b\\\":[1,2.5,null]}\"\n```\n",
  ],
  [
    "toPath",
    "# builtins.toPath *s*\n\n- type: `string -> string`\n- since: 0.10\n\nChecks that *s* is an absolute path and gives it in its plain form. Old; to make a path of a string use `/. + s`.\n\n```nix\nbuiltins.toPath \"/etc//nix/../hosts\"\n# => \"/etc/hosts\"\n```\n",
  ],
  [
    "toString",
    "# builtins.toString *e*\n\n- type: `a -> string`\n- since: 0.6 or earlier\n\nText of a value: numbers in decimal, `true` as `1`, `false` and `null` as nothing, lists as their elements with blanks between, sets by `__toString` or `outPath`, paths as they are without being copied.\n\n```nix\nmap toString [ 1 1.5 true false null [ 1 [ 2 ] ] /etc ]\n# => [ \"1\" \"1.500000\" \"1\" \"\" \"\" \"1 2\" \"/etc\" ]\n```\n",
  ],
  [
    "toXML",
    "# builtins.toXML *e*\n\n- type: `a -> string`\n- since: 0.10\n\nAn XML text of a value, evaluated with everything inside it.\n\n```nix\nbuiltins.toXML { x = [ 1 \"two\" ]; }\n# => \"<?xml version='1.0' encoding='utf-8'?>\\n<expr>\\n  <attrs>\\n    <attr name=\\\"x\\\">\\n      <list>\\n        <int value=\\\"1\\\" />\\n        <string value=\\\"two\\\" />\\n      </list>\\n    </attr>\\n  </attrs>\\n</expr>\\n\"\n```\n",
  ],
  [
    "trace",
    "# builtins.trace *e1* *e2*\n\n- type: `a -> b -> b`\n- since: 0.11\n\nPrints *e1* on standard error, then gives *e2*. Strings are printed as they are, other values as far as they are evaluated.\n\n```nix\nbuiltins.trace \"adding\" (1 + 2)\n# => 3\n```\n",
  ],
  [
    "traceVerbose",
    "# builtins.traceVerbose *e1* *e2*\n\n- type: `a -> b -> b`\n- since: 2.10\n\nLike `trace` when the setting `trace-verbose` is on; otherwise only gives *e2*.\n\n```nix\nbuiltins.traceVerbose \"not printed\" 3\n# => 3\n```\n",
  ],
  [
    "true",
    "# builtins.true\n\n- type: `Boolean`\n- since: 0.6 or earlier\n\nThe boolean value for yes. It is a name of the outermost scope, not a keyword.\n\n```nix\nif true then 1 else 2\n# => 1\n```\n",
  ],
  [
    "tryEval",
    "# builtins.tryEval *e*\n\n- type: `a -> set`\n- since: 0.13\n\nEvaluates the outermost layer of *e*: `{ success = true; value = …; }`, or with `false` twice when that ended in an error of `throw` or `assert`. Other errors pass through. Wrap *e* in `deepSeq` to look further inside.\n\n```nix\nbuiltins.tryEval (throw \"caught\")\n# => { success = false; value = false; }\n```\n\n```nix\n(builtins.tryEval { inside = throw \"not reached\"; }).success\n# => true\n```\n",
  ],
  [
    "typeOf",
    "# builtins.typeOf *e*\n\n- type: `a -> string`\n- since: 1.7\n\nThe type of a value: `int`, `bool`, `string`, `path`, `null`, `set`, `list`, `lambda` or `float`.\n\n```nix\nmap builtins.typeOf [ 1 true \"s\" /p null { } [ ] (x: x) 1.0 ]\n# => [ \"int\" \"bool\" \"string\" \"path\" \"null\" \"set\" \"list\" \"lambda\" \"float\" ]\n```\n",
  ],
  [
    "unsafeDiscardOutputDependency",
    "# builtins.unsafeDiscardOutputDependency *s*\n\n- type: `string -> string`\n- since: 0.13\n\n*s* with every reference to a whole derivation (as in `drvPath`) weakened to one to the `.drv` file alone: what depends on the string does not need the derivation's outputs.\n\n```nix\nlet drv = derivation { name = \"x\"; builder = \"/bin/sh\"; system = \"x86_64-linux\"; };\nin builtins.attrValues (builtins.getContext (builtins.unsafeDiscardOutputDependency drv.drvPath))\n# => [ { path = true; } ]\n```\n",
  ],
  [
    "unsafeDiscardStringContext",
    "# builtins.unsafeDiscardStringContext *s*\n\n- type: `string -> string`\n- since: 0.12\n\n*s* without any reference to the store. What is made of it no longer depends on what it names.\n\n```nix\nbuiltins.hasContext (builtins.unsafeDiscardStringContext (builtins.toFile \"name\" \"text\"))\n# => false\n```\n",
  ],
  [
    "unsafeGetAttrPos",
    "# builtins.unsafeGetAttrPos *s* *set*\n\n- type: `string -> set -> set or null`\n- since: 1.7\n\nWhere the attribute *s* of *set* is defined: a set of `file`, `line` and `column`, or `null` when that is not known. The value of an expression should not depend on it.\n\n```nix\nbuiltins.unsafeGetAttrPos \"x\" { }\n# => null\n```\n",
  ],
  [
    "warn",
    "# builtins.warn *e1* *e2*\n\n- type: `string -> a -> a`\n- since: 2.23\n\nPrints the warning *e1* on standard error, then gives *e2*. With the setting `abort-on-warn` the evaluation ends there.\n\n```nix\nbuiltins.warn \"this is old\" 42\n# => 42\n```\n",
  ],
  [
    "zipAttrsWith",
    "# builtins.zipAttrsWith *f* *list*\n\n- type: `(string -> [a] -> b) -> [set] -> set`\n- since: 2.6\n\nJoins sets: each name that any set in *list* has gets the value *f* gives for it and the list of all its values, in order.\n\n```nix\nbuiltins.zipAttrsWith (name: values: values) [ { a = 1; } { a = 2; b = 3; } ]\n# => { a = [ 1 2 ]; b = [ 3 ]; }\n```\n",
  ],
]);
