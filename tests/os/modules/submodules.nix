# Sets of options as values: submodules and modules kept for later.
{ lib, config, evaluate, ... }:
let
  inherit (lib)
    mkDefault
    mkForce
    mkIf
    mkOption
    types
    ;
  user = types.submodule (
    { name, config, ... }:
    {
      options = {
        name = mkOption { type = types.str; default = name; };
        home = mkOption { type = types.str; default = "/home/${config.name}"; };
        groups = mkOption { type = types.listOf types.str; default = [ ]; };
      };
    }
  );
  users = definitions: (config ([ { options.users = mkOption { type = types.attrsOf user; default = { }; }; } ] ++ definitions)).users;
in
{
  defaults = users [ { users.ann = { }; } ];
  named = users [ { users.ann.name = "anna"; } ];
  joined = users [ { users.ann.groups = [ "a" ]; } { users.ann.groups = [ "b" ]; users.bob = { }; } ];
  forced = users [ { users.ann.home = "/a"; } { users.ann.home = mkForce "/b"; } ];
  conditional = users [ { users.ann = mkIf false { }; users.bob = mkIf true { home = "/b"; }; } ];
  unknown = users [ { users.ann.shell = "zsh"; } ];
  wrong = users [ { users.ann.groups = "a"; } ];
  notASet = users [ { users.ann = 1; } ];
  functionValue = users [ { users.ann = { config, ... }: { home = mkDefault "/of/${config.name}"; }; } ];
  listNames = (config [ { options.x = mkOption { type = types.listOf (types.submodule ({ name, ... }: { options.n = mkOption { default = name; }; })); }; x = [ { } { n = "two"; } ]; } ]).x;
  declaredTwice =
    (config [
      { options.x = mkOption { type = types.submodule { options.a = mkOption { default = 1; }; }; default = { }; }; }
      { options.x = mkOption { type = types.submodule { options.b = mkOption { default = 2; }; }; }; }
    ]).x;
  extendedFromOutside = (config [ { options.x = mkOption { type = types.submodule { options.a = mkOption { default = 1; }; }; default = { }; }; } { options.x.b.c = mkOption { default = 2; }; } ]).x;
  parentIsNoSubmodule = (config [ { options.x = mkOption { type = types.attrs; default = { }; }; } { options.x.b = mkOption { default = 2; }; } ]).x;
  freeform = (config [ { options.x = mkOption { type = types.submodule { freeformType = types.attrsOf types.int; options.a = mkOption { type = types.str; default = "a"; }; }; }; x.b = 1; } ]).x;
  freeformWrong = (config [ { options.x = mkOption { type = types.submodule { freeformType = types.attrsOf types.int; }; }; x.b = "1"; } ]).x;
  freeformNested = (config [ { options.x = mkOption { type = types.submodule { freeformType = types.attrsOf (types.attrsOf types.int); options.a.b = mkOption { default = 0; }; }; }; x.a.c = 1; x.d.e = 2; } ]).x;
  shorthand = (config [ { options.x = mkOption { type = types.submodule { options.config = mkOption { type = types.int; }; }; }; x.config = 3; } ]).x;
  longhand = (config [ { options.x = mkOption { type = types.submoduleWith { modules = [ { options.a = mkOption { type = types.int; }; } ]; }; }; x.config.a = 3; x.imports = [ { options.b = mkOption { default = 4; }; } ]; } ]).x;
  specialArgs = (config [ { options.x = mkOption { type = types.submoduleWith { modules = [ ({ y, ... }: { options.a = mkOption { default = y; }; }) ]; specialArgs.y = 5; }; default = { }; } ; } ]).x;
  specialArgsTwice =
    (config [
      { options.x = mkOption { type = types.submoduleWith { modules = [ ]; specialArgs.y = 5; }; default = { }; }; }
      { options.x = mkOption { type = types.submoduleWith { modules = [ ]; specialArgs.y = 5; }; }; }
    ]).x;
  description = (types.submoduleWith { modules = [ ]; description = "a thing"; }).description;
  openDescription = (types.submodule { freeformType = types.attrsOf types.int; }).description;
  classes = (types.submoduleWith { modules = [ { _class = "a"; } ]; class = "b"; }).description;
  nullOrSubmodule = (config [ { options.x = mkOption { type = types.nullOr user; default = null; }; } ]).x;
  eitherSubmodule = (config [ { options.x = mkOption { type = types.either types.str (types.submodule { options.a = mkOption { default = 1; }; }); }; x = { }; } ]).x;
  fromEvaluation = (config [ { options.x = mkOption { inherit (evaluate [ { options.a = mkOption { default = 1; }; } ]) type; default = { }; }; } { x.config.a = 2; } ]).x;
  deferred = (config (config [ { options.module = mkOption { type = types.deferredModule; }; module.options.a = mkOption { default = 7; }; } { module = { config.a = mkForce 8; }; } ]).module).a;
  deferredFunction = (config [ (config [ { options.module = mkOption { type = types.deferredModule; }; module = { lib, ... }: { options.a = lib.mkOption { default = 7; }; }; } ]).module ]).a;
  deferredStatic = (config [ (config [ { options.module = mkOption { type = types.deferredModuleWith { staticModules = [ { options.s = mkOption { default = 1; }; } ]; }; default = { }; }; } ]).module ]).s;
  deferredWrong = (config [ { options.module = mkOption { type = types.deferredModule; }; module = 1; } ]).module;
  optionDeclaration = (config [ { options.x = mkOption { type = types.optionDeclaration; }; x = mkOption { default = 1; }; } ]).x.default;
  emptyValue = (config [ { options.x = mkOption { type = types.submodule { options.a = mkOption { default = 1; }; }; }; } ]).x;
}
