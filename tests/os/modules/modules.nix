# Modules as such: imports, arguments, keys, classes, unknown definitions, results.
{ lib, config, evaluate, ... }:
let
  inherit (lib)
    mkDefault
    mkForce
    mkIf
    mkOption
    types
    ;
  int = mkOption { type = types.int; };
in
{
  imports = (config [ { imports = [ { options.a = int; } { imports = [ ({ ... }: { a = 1; }) ]; } ]; } ]).a;
  importOrder = (config [ { options.a = mkOption { type = types.listOf types.int; }; imports = [ { a = [ 1 ]; } { imports = [ { a = [ 2 ]; } ]; a = [ 3 ]; } ]; a = [ 4 ]; } { a = [ 5 ]; } ]).a;
  importedOnceByKey = (config (let one = { key = "one"; a = [ 1 ]; }; in [ { options.a = mkOption { type = types.listOf types.int; }; } one one { imports = [ one ]; } ])).a;
  require = (config [ { require = [ { options.a = int; } ]; a = 1; } ]).a;
  nestedList = (config [ [ { options.a = int; } ] ]).a;
  flakeAsModule = (config [ { _type = "flake"; } ]).a;
  mixedSyntax = (lib.evalModules { modules = [ { options.a = int; a = 1; } ]; }).config.a;
  arguments = (config [ ({ offer, ... }: { options.a = mkOption { default = offer; }; }) { _module.args.offer = 3; } ]).a;
  argumentFromConfig = (config [ ({ config, ... }: { options.b = int; config._module.args.offer = config.b + 1; }) ({ offer, ... }: { options.a = mkOption { default = offer; }; config.b = 1; }) ]).a;
  argumentForced = (config [ ({ offer, ... }: { options.a = mkOption { default = offer; }; }) { _module.args.offer = 3; } { _module.args.offer = mkForce 4; } ]).a;
  argumentConflict = (config [ ({ offer, ... }: { options.a = mkOption { default = offer; }; }) { _module.args.offer = 3; } { _module.args.offer = 4; } ]).a;
  specialArgs = (lib.evalModules { specialArgs.offer = [ { options.a = mkOption { default = 1; }; } ]; modules = [ ({ offer, ... }: { imports = offer; }) ]; }).config;
  specialArgsOption = (lib.evalModules { specialArgs.offer = 1; modules = [ ({ specialArgs, ... }: { options.a = mkOption { default = specialArgs.offer; }; }) ]; }).config.a;
  prefix = (lib.evalModules { prefix = [ "p" "q" ]; modules = [ { options.a = mkOption { type = types.int; default = 1; }; } ]; }).options.a.loc;
  unknown = config [ { options.a = int; a = 1; } { b = 2; } ];
  unknownAllowed = config [ { options.a = int; a = 1; } { b = 2; _module.check = false; } ];
  unknownNested = config [ { options.a.b = int; a.b = 1; } { a.c = 2; } ];
  unknownConditional = config [ { options.a = mkOption { default = 1; }; } (mkIf false { b = 2; }) ];
  freeform = config [ { freeformType = types.attrsOf types.int; options.a = mkOption { type = types.str; }; a = "x"; b = 1; } ];
  freeformNot = config [ { _module.freeformType = types.attrsOf types.int; b = "1"; } ];
  freeformLazy = config [ { freeformType = types.lazyAttrsOf types.anything; c.d = mkDefault 1; } { c.d = 2; c.e = 3; } ];
  disabledByKey = (config [ { options.a = mkOption { default = 0; }; } { key = "on"; a = 1; } { disabledModules = [ { key = "on"; } ]; } ]).a;
  disabledImports = (config [ { options.a = mkOption { default = 0; }; } { imports = [ { key = "on"; imports = [ { a = 1; } ]; } ]; } { disabledModules = [ "/x" { key = "on"; } ]; } ]).a;
  disabledWithoutKey = (config [ { options.a = mkOption { default = 0; }; } { disabledModules = [ { } ]; } ]).a;
  classRight = (lib.evalModules { class = "thing"; modules = [ { _class = "thing"; options.a = mkOption { default = 1; }; } ]; }).config.a;
  classWrong = (lib.evalModules { class = "thing"; modules = [ { _class = "other"; options.a = mkOption { default = 1; }; } ]; }).config.a;
  classFree = (lib.evalModules { class = "thing"; modules = [ { options.a = mkOption { default = 1; }; } ]; }).class;
  extended = let base = evaluate [ { options.a = mkOption { type = types.int; default = 1; }; } ]; in [ base.config.a (base.extendModules { modules = [ { a = 2; } ]; }).config.a ];
  extendedFromInside = (config [ ({ extendModules, ... }: { options.a = mkOption { type = types.int; default = 1; }; options.b = mkOption { default = (extendModules { modules = [ { a = 5; b = 0; } ]; }).config.a; }; }) ]).b;
  twoDeclarations = (config [ { options.a = mkOption { default = 1; }; } { options.a = mkOption { default = 2; }; } ]).a;
  twoHalves = (config [ { options.a = mkOption { default = 1; }; } { options.a = mkOption { type = types.int; description = "x"; }; } ]).a;
  twoTypes = (config [ { options.a = mkOption { type = types.int; }; } { options.a = mkOption { type = types.str; }; a = 1; } ]).a;
  bareType = (config [ { options.a = types.int; } ]).a;
  optionsNoSet = (config [ { options = 1; } ]).a;
  readOnly = (config [ { options.a = mkOption { readOnly = true; type = types.int; }; a = 1; } ]).a;
  readOnlyTwice = (config [ { options.a = mkOption { readOnly = true; type = types.int; }; a = 1; } { a = 1; } ]).a;
  apply = (config [ { options.a = mkOption { type = types.int; apply = x: x * 2; }; a = 4; } ]).a;
  applyDefault = (config [ { options.a = mkOption { type = types.int; default = 1; apply = toString; }; } ]).a;
  undefined = (config [ { options.a = int; } ]).a;
  isDefined = let result = evaluate [ { options = { a = int; b = int; c = mkOption { default = 1; }; }; a = 1; b = mkIf false 1; } ]; in map (name: result.options.${name}.isDefined) [ "a" "b" "c" ];
  highestPrio = let result = evaluate [ { options = { a = int; b = int; c = mkOption { default = 1; }; d = int; }; a = 1; b = mkForce 1; d = mkDefault 1; } ]; in map (name: result.options.${name}.highestPrio) [ "a" "b" "c" "d" ];
  files = (evaluate [ { _file = "one.nix"; options.a = mkOption { type = types.listOf types.int; }; a = [ 1 ]; } { _file = "two.nix"; a = [ 2 ]; } ]).options.a.files;
  definitions = map (definition: { inherit (definition) file value; }) (evaluate [ { _file = "one.nix"; options.a = mkOption { type = types.listOf types.int; }; a = [ 1 ]; } { _file = "two.nix"; a = lib.mkBefore [ 2 ]; } ]).options.a.definitionsWithLocations;
  declarations = (evaluate [ { _file = "one.nix"; options.a = mkOption { default = 1; }; } { _file = "two.nix"; options.a = mkOption { type = types.int; }; } ]).options.a.declarations;
  shown = "${(evaluate [ { options.a."b.c" = mkOption { default = 1; }; } ]).options.a."b.c"}";
  graph = map (node: { inherit (node) key file disabled; imports = map (import: import.key) node.imports; }) (evaluate [ { _file = "a.nix"; key = "a"; imports = [ { key = "b"; } ]; disabledModules = [ { key = "b"; } ]; } ]).graph;
  locationOfDefault = (evaluate [ (lib.setDefaultModuleLocation "there.nix" { options.a = mkOption { default = 1; }; }) ]).options.a.declarations;
  metaInLongForm = (config [ { options.meta = mkOption { type = types.attrs; }; meta.x = 1; config = { }; } ]).meta;
  resultType = (evaluate [ ])._type;
  optionsDependOnOptions = (config [ { options.a = mkOption { default = 1; }; } ({ options, ... }: { options.b = mkOption { default = options ? a; }; config = lib.optionalAttrs (options ? zzz) { zzz = 1; }; }) ]).b;
  valueMeta = (evaluate [ { options.x = mkOption { type = types.attrsOf (types.submodule { options.a = mkOption { default = 1; }; }); }; x.y = { }; } ]).options.x.valueMeta.attrs.y.configuration.options.a.value;
  extendedLibrary = ((lib.extend (final: previous: { mine = final.mine2 + 1; mine2 = 1; mkBefore = previous.mkAfter; })).evalModules { modules = [ ({ lib, ... }: { options.a = mkOption { default = lib.mine; }; }) ]; }).config.a;
  extendedTwice = ((lib.extend (_: _: { one = 1; })).extend (_: previous: { two = previous.one + 1; })).two;
}
