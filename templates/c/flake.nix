{
  description = "A C program";

  inputs.deb.url = "deb";

  outputs =
    { self, deb }:
    let
      system = "x86_64-linux";
      set = deb.legacyPackages.${system};
    in
    {
      packages.${system}.default = set.mkDerivation {
        pname = "greet";
        version = "0.1.0";
        src = ./src;
        buildPhase = "make";
        installPhase = "make install prefix=$out";
        meta.mainProgram = "greet";
      };

      devShells.${system}.default = set.mkShell {
        packages = [
          "gcc"
          "make"
        ];
      };
    };
}
