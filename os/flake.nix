{
  description = "Debian's packages as a Nix package set";

  outputs =
    { self }:
    let
      system = "x86_64-linux";
      set = import ./pkgs { inherit system; };
    in
    {
      legacyPackages.${system} = set;
      packages.${system} = set.environments;
    };
}
