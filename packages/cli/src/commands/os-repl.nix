# The variables of `firn os repl`: what modules are given, what the configuration has, and `more`.
{ configuration, more }:
let
  module = configuration._module or { };
  lib = configuration.lib or configuration.pkgs.lib or null;
in
(module.args or { })
// (module.specialArgs or { })
// {
  inherit (configuration) config options;
}
// (if configuration ? pkgs then { inherit (configuration) pkgs; } else { })
// (if lib == null then { } else { inherit lib; })
// more
