{
  description = "A NixOS machine";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    {
      # The name is the machine's: `firn os switch` takes the one of its host name.
      nixosConfigurations.nixos = nixpkgs.lib.nixosSystem { modules = [ ./configuration.nix ]; };
    };
}
