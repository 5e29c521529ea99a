# Evaluates a configuration of Firn OS: `import ./eval-config.nix { modules = [ ./configuration.nix ]; }`. The result has the
# attributes of nixpkgs' function of that name: config, options, pkgs, extendModules, type.
{
  modules,
  specialArgs ? { },
  system ? "x86_64-linux",
  # The Debian packages: a lock file or its parsed text. Null takes the one beside the first module that has one, else Firn's own.
  lock ? null,
  lib ? import ./lib,
  baseModules ? import ./modules/module-list.nix,
  # Added by functions that want to be told apart in errors.
  extraModules ? [ ],
  prefix ? [ ],
}:
let
  besides = builtins.filter builtins.pathExists (
    map (module: dirOf module + "/debian.lock.json") (builtins.filter builtins.isPath modules)
  );
  chosen =
    if lock != null then
      lock
    else if besides != [ ] then
      builtins.head besides
    else
      ./pkgs/debian.lock.json;
  set = import ./pkgs {
    inherit system;
    lock = if builtins.isAttrs chosen then chosen else builtins.fromJSON (builtins.readFile chosen);
  };
  pkgs = set.pkgs // {
    inherit lib;
  };
  packages =
    { config, ... }:
    {
      _file = ./eval-config.nix;
      config._module.args = {
        inherit baseModules extraModules modules noUserModules;
        pkgs = lib.mkOverride 1400 (
          if config.nixpkgs.overlays == [ ] then pkgs else lib.fix (lib.extends (lib.composeManyExtensions config.nixpkgs.overlays) (_: pkgs))
        );
      };
    };
  evaluate =
    modules:
    lib.evalModules {
      inherit prefix;
      class = "nixos";
      modules = baseModules ++ extraModules ++ [ packages ] ++ modules;
      specialArgs = {
        modulesPath = toString ./modules;
      }
      // specialArgs;
    };
  evaluated = evaluate modules;
  noUserModules = evaluate [ ];
in
evaluated
// {
  inherit (evaluated._module.args) pkgs;
  inherit lib extraModules;
}
