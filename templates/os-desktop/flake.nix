{
  description = "A desktop of Firn: Debian's packages, one configuration";

  inputs.deb.url = "deb";

  outputs =
    { self, deb }:
    {
      # The name is the machine's: `firn os switch` takes the one of its host name.
      nixosConfigurations.desk = deb.lib.firnSystem { modules = [ ./configuration.nix ]; };
    };
}
