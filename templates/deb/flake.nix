{
  description = "A shell with Debian packages";

  inputs.deb.url = "deb";

  outputs =
    { self, deb }:
    let
      system = "x86_64-linux";
    in
    {
      devShells.${system}.default = deb.legacyPackages.${system}.mkShell {
        packages = [
          "git"
          "make"
        ];
      };
    };
}
