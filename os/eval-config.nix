# Evaluates a configuration of Firn OS: `import ./eval-config.nix { modules = [ ./configuration.nix ]; }`. The result has the
# attributes of nixpkgs' function of that name: config, options, pkgs, extendModules, type.
{
  modules,
  specialArgs ? { },
  system ? "x86_64-linux",
  # The Debian packages; a parsed lock file.
  lock ? builtins.fromJSON (builtins.readFile ./pkgs/debian.lock.json),
  lib ? import ./lib,
  baseModules ? import ./modules/module-list.nix,
  # Added by functions that want to be told apart in errors.
  extraModules ? [ ],
  prefix ? [ ],
}:
let
  set = import ./pkgs { inherit lock system; };
  pkgs = set.pkgs // {
    inherit lib;
  };
  packages = {
    _file = ./eval-config.nix;
    config._module.args = {
      inherit baseModules extraModules modules;
      pkgs = lib.mkOverride 1400 pkgs;
    };
  };
  evaluated = lib.evalModules {
    inherit prefix;
    class = "nixos";
    modules = baseModules ++ extraModules ++ [ packages ] ++ modules;
    specialArgs = {
      modulesPath = toString ./modules;
    }
    // specialArgs;
  };
in
evaluated
// {
  inherit pkgs lib extraModules;
}
