{
  description = "GNU hello, built from its upstream source with Debian's tool chain";

  inputs.deb.url = "path:../../os";

  outputs =
    { self, deb }:
    let
      inherit (deb.legacyPackages.x86_64-linux) mkDerivation debianSource;
    in
    {
      packages.x86_64-linux = rec {
        default = hello;
        hello = mkDerivation {
          pname = "hello";
          version = "2.10";
          src = debianSource "hello" "hello_2.10.orig.tar.gz";
          doCheck = true;
          meta = {
            description = "The program that greets you";
            homepage = "https://www.gnu.org/software/hello/";
            mainProgram = "hello";
          };
        };
      };
    };
}
