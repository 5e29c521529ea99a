{
  description = "A media server behind nginx";

  inputs.os.url = "path:../../os";

  outputs =
    { self, os }:
    {
      nixosConfigurations.media = os.lib.firnSystem { modules = [ ./configuration.nix ]; };
    };
}
