/** A flake that shows the store path of its tree, or depends on it, in every way that there is. */

/** The ways in which a program can come to show the store path of its tree, or to depend on it. */
export const ways: Readonly<Record<string, string>> = {
  path: "./flake.nix",
  root: "./.",
  text: "toString ./.",
  interpolated: '"${./.}"',
  "interpolated part": '"${./sub}"',
  "interpolated file": '"${./sub/default.nix}"',
  outPath: "self.outPath",
  "self as text": '"${self}/sub"',
  sourceInfo: "self.sourceInfo",
  narHash: "self.narHash",
  times: "[ self.lastModified self.lastModifiedDate ]",
  "names of self": "builtins.attrNames self",
  "names of sourceInfo": "builtins.attrNames self.sourceInfo",
  curPos: "__curPos",
  "position of an attribute": 'builtins.unsafeGetAttrPos "a" { a = 1; }',
  "position in an import": 'builtins.unsafeGetAttrPos "a" (import ./sub)',
  function: "x: x",
  "function of a file": "(import ./sub).f",
  trace: "builtins.trace ./sub 1",
  warn: "builtins.warn (toString ./sub) 1",
  throw: 'throw "at ${toString ./sub}"',
  context: 'builtins.addErrorContext "at ${toString ./sub}" (throw "x")',
  "throw in a file": "(import ./sub).thrown",
  "error with a value": "1 + self.sourceInfo",
  "error that prints facts": "builtins.head self.sourceInfo",
  "error that prints a path": "builtins.head { a = ./sub; }",
  "error with a list": '"" + [ ./sub ]',
  "error with a path": "1 + ./sub",
  "error with a function": '"" + (import ./sub).f',
  "missing attribute": "(import ./sub).nothing",
  "missing file": "import ./nothing.nix",
  "missing file in a text": 'builtins.readFile "${self}/nothing"',
  "untracked file": "import ./untracked.nix",
  "untracked file is not there": "builtins.pathExists ./untracked.nix",
  "syntax error": "import ./broken.nix",
  "duplicate attribute": "import ./twice.nix",
  "warning of the parser": "import ./or.nix",
  "assertion with a path": "assert ./sub == ./.; 1",
  "error that is shown": "{ a = throw (toString ./sub); b = import ./broken.nix; }",
  tried: "builtins.tryEval (throw (toString ./sub))",
  "equal paths": '[ (./sub == ./sub) (./sub == ./. + "/sub") (./sub == ./.) ]',
  "equal to a path that is made":
    "[ (./. == /. + builtins.unsafeDiscardStringContext self.outPath) (./sub == /nix/store) ]",
  "a made path first":
    'let p = /. + builtins.unsafeDiscardStringContext self.outPath + "/sub"; in [ p (p == ./sub) (builtins.elem p [ ./sub ]) ]',
  order: "builtins.sort (a: b: a < b) [ ./sub ./. ./flake.nix /nix/store/5 /nix/store/m /nix/store/z /etc ]",
  closure:
    'map (x: x.key) (builtins.genericClosure { startSet = [ { key = ./.; } ]; operator = { key }: [ { key = ./.; } { key = ./. + "/."; } { key = ./sub; } ]; })',
  "path of a directory": "builtins.path { path = ./sub; }",
  "path of the root": "builtins.path { path = ./.; }",
  "path with a name": 'builtins.path { path = ./.; name = "n"; }',
  "path with a filter":
    'builtins.path { path = ./.; name = "n"; filter = path: type: builtins.trace "${path} ${type}" (type != "directory"); }',
  "path of one file": "builtins.path { path = ./sub/default.nix; recursive = false; }",
  filterSource: "builtins.filterSource (path: type: builtins.trace path true) ./sub",
  toFile: 'builtins.toFile "f" (toString ./sub)',
  toPath: "builtins.toPath ./sub",
  hashFile: 'builtins.hashFile "sha256" ./sub/text',
  hashString: 'builtins.hashString "sha256" (toString ./sub)',
  dirOf: "[ (dirOf ./sub) (dirOf ./.) (dirOf (dirOf ./.)) ]",
  baseNameOf: "[ (baseNameOf ./sub) (baseNameOf ./.) ]",
  "path and text": '[ (./. + "/a/../b") (./. + "x") (./sub + "/..") (./. + "/..") ]',
  "path with a part": 'let p = "sub"; in ./${p}/x',
  "text and path": '"a" + ./sub/text',
  "a set as a path": '{ outPath = ./sub; } + "x"',
  "a set as text": "toString { outPath = ./.; }",
  list: "toString [ ./. ./sub ]",
  import: "(import ./sub).value",
  "import of a text": '(import "${self}/sub").value',
  "import twice": 'let a = import ./traced.nix; b = import (self + "/traced.nix"); in a + b',
  "import twice after it is known": 'let b = import (self + "/traced.nix"); a = import ./traced.nix; in b + a',
  "imported path": "(import ./sub).path",
  "lower file": "import ./sub/../traced.nix",
  scopedImport: "scopedImport { z = 1; } ./scoped.nix",
  "known from elsewhere":
    '[ (builtins.pathExists (self.elsewhere + "/sub")) (builtins.readFile (self.elsewhere + "/sub/text")) ]',
  "imported from elsewhere": '[ (import (self.elsewhere + "/traced.nix")) (import ./traced.nix) ]',
  "context from elsewhere": 'builtins.appendContext "x" { ${self.elsewhere} = { path = true; }; }',
  readDir: "builtins.readDir ./.",
  "readDir below": 'builtins.readDir (./. + "/sub")',
  readFile: "builtins.readFile ./sub/text",
  "readFile has no context": "builtins.getContext (builtins.readFile ./sub/text)",
  "context of outPath": "builtins.getContext self.outPath",
  readFileType: "[ (builtins.readFileType ./sub) (builtins.readFileType ./link) (builtins.readFileType ./sub/text) ]",
  link: "import ./link",
  "link out of the tree": "builtins.readFile ./outside",
  "link to nothing": "builtins.pathExists ./dangling",
  "out of the tree": "builtins.readFile ../x",
  "the store itself": "builtins.readDir ../.",
  "another file": "builtins.readFile /etc/hostname",
  "is it there": "[ (builtins.pathExists ./sub) (builtins.pathExists ./nothing) (builtins.pathExists ../x) ]",
  json: "builtins.toJSON [ ./sub ./. ]",
  xml: "builtins.toXML [ ./sub { a = ./.; } (x: x) ]",
  derivation: 'derivation { name = "d"; system = "x"; builder = ./sub/text; src = ./.; args = [ ./sub self ]; }',
  "derivation with an error": 'derivation { name = "d"; system = "x"; builder = throw "no"; }',
  "structured derivation":
    '(derivation { name = "d"; system = "x"; builder = "b"; __structuredAttrs = true; src = ./.; t = { a = ./sub; }; }).drvPath',
  "derivation without its tree": '(derivation { name = "d"; system = "x"; builder = "b"; }).drvPath',
  findFile: 'builtins.findFile [ { prefix = "s"; path = ./sub; } ] "s/text"',
  fetchTree: 'builtins.fetchTree { type = "path"; path = ./sub; }',
  "self in self": "self._type",
  "deeply forced": "builtins.deepSeq self.sourceInfo 1",
  "compared with itself": "self.sourceInfo == self.sourceInfo",
  "mapped paths": 'builtins.mapAttrs (n: t: ./. + "/${n}") (builtins.readDir ./.)',
  match: 'builtins.match ".*-(source)/?" (toString ./.)',
  length: "builtins.stringLength (toString ./.)",
};

const files = {
  "sub/default.nix": `{
  a = 1;
  f = x: x;
  value = 2;
  path = ../traced.nix;
  thrown = throw "in a file";
}
`,
  "sub/text": "text\n",
  "traced.nix": 'builtins.trace "traced" 1\n',
  "scoped.nix": "[ z ./sub ]\n",
  "broken.nix": "{ a = ; }\n",
  "twice.nix": "{ a = 1; a = 2; }\n",
  "or.nix": "let or = 1; in (x: x) or\n",
};

/** The files of the flake; each way is an output. */
export const flakeFiles: Readonly<Record<string, string>> = {
  ...files,
  "flake.nix": `{ outputs = { self }: {
${Object.entries(ways)
  .map(([name, expression]) => `  "${name}" = ${expression};`)
  .join("\n")}
}; }
`,
};

/** Its links, with their targets. */
export const flakeLinks: Readonly<Record<string, string>> = {
  link: "sub",
  outside: "/etc/hostname",
  dangling: "nowhere",
};
