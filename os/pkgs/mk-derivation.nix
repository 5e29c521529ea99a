# Builds upstream sources with the Debian tool chain: phases as nixpkgs' stdenv names them, in setup.sh. The result
# refers to the store's own libc and libraries, never to the host's.
{ debs, busybox, closureOf, debEnv, system }:
let
  toolchain = [ "bash" "binutils" "bzip2" "file" "g++" "gcc" "make" "patch" "patchelf" "xz-utils" ];
in
{
  pname ? null,
  version ? null,
  name ? "${pname}-${version}",
  # Names of Debian packages whose programs, headers and libraries the build uses.
  buildInputs ? [ ],
  # The same: there is one tree for the machine that builds and the one that runs.
  nativeBuildInputs ? [ ],
  meta ? { },
  passthru ? { },
  ...
}@attributes:
let
  packages = closureOf (toolchain ++ nativeBuildInputs ++ buildInputs);
  environment = debEnv {
    name = "${name}-env";
    packages = toolchain ++ nativeBuildInputs ++ buildInputs;
  };
in
derivation (
  removeAttrs attributes [ "meta" "passthru" "buildInputs" "nativeBuildInputs" ]
  // {
    inherit name system busybox environment;
    builder = busybox;
    args = [ "sh" ./enter.sh ];
    setup = ./setup.sh;
    libc = debs.libc6;
    # Where the libraries that a program is linked with will be found at run time.
    libraryPackages = map (package: debs.${package}) packages;
  }
)
// {
  inherit meta;
}
// passthru
