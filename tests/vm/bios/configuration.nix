# The first generation, which has the second one in its store.
{ lib, modulesPath, ... }:
let
  second = import (modulesPath + "/../eval-config.nix") {
    modules = [ ./system.nix { environment.etc.generation.text = "the second\n"; } ];
  };
in
{
  imports = [ ./system.nix ];
  environment.etc.generation.text = "the first\n";
  environment.etc.second.text = "${second.config.system.build.toplevel}";
}
