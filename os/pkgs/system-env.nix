# The environment of a whole system: like debEnv, without what only documents it and what a generation makes itself, and
# with a list of its packages.
{ debs, busybox, closureOf, system }:
{
  name ? "system-env",
  packages,
  # Paths below the tree that are left out; shell patterns.
  exclude ? [ ],
}:
let
  closure = closureOf packages;
in
derivation {
  inherit name system;
  builder = busybox;
  args = [ "sh" ./system-env.sh ];
  inherit busybox exclude;
  merge = ./deb-env.sh;
  packages = map (package: debs.${package}) closure;
}
// {
  # Names of the packages it holds.
  passthru.packageNames = closure;
}
