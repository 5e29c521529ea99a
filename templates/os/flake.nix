{
  description = "A machine of Firn: Debian's packages, one configuration";

  inputs.deb.url = "deb";

  outputs =
    { self, deb }:
    {
      # The name is the machine's: `firn os switch` takes the one of its host name.
      nixosConfigurations.firn = deb.lib.firnSystem { modules = [ ./configuration.nix ]; };
    };
}
