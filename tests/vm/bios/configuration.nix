# The first generation, which has the second one in its store.
{ lib, modulesPath, ... }:
let
  second = import (modulesPath + "/../eval-config.nix") {
    modules = [
      ./system.nix
      {
        environment.etc.generation.text = "the second\n";
        boot.initrd.secrets."/etc/secret" = "/root/secret";
        # Read where only the first stage is.
        boot.initrd.postMountCommands = "cat /etc/secret >/run/secret-of-first-stage";
      }
    ];
  };
in
{
  imports = [ ./system.nix ];
  environment.etc.generation.text = "the first\n";
  environment.etc.second.text = "${second.config.system.build.toplevel}";
}
