{
  description = "Debian's packages as a Nix package set, and whole systems made of them";

  outputs =
    { self }:
    let
      system = "x86_64-linux";
      set = import ./pkgs { inherit system; };
    in
    {
      legacyPackages.${system} = set;
      packages.${system} = set.environments;

      lib = import ./lib // {
        # A system from its modules, as nixpkgs' lib.nixosSystem: { modules, specialArgs ? { }, lock ? …, system ? … }.
        firnSystem = import ./eval-config.nix;
      };
    };
}
