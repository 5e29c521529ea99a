{
  description = "A Rust program";

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
        src = ./.;
        nativeBuildInputs = [
          "cargo"
          "rustc"
          "gcc"
        ];
        # Crates are not fetched in a build: `cargo vendor` puts them beside the sources, where --offline finds them.
        buildPhase = ''
          export CARGO_HOME=$PWD/.cargo
          cargo build --release --offline
        '';
        installPhase = "install -D target/release/greet $out/bin/greet";
        meta.mainProgram = "greet";
      };

      devShells.${system}.default = set.mkShell {
        packages = [
          "cargo"
          "rustc"
          "gcc"
        ];
      };
    };
}
