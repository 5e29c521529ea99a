{
  description = "A Python program";

  inputs.deb.url = "deb";

  outputs =
    { self, deb }:
    let
      system = "x86_64-linux";
      set = deb.legacyPackages.${system};
    in
    {
      devShells.${system}.default = set.mkShell {
        packages = [
          "python3"
          "python3-venv"
        ];
      };
    };
}
