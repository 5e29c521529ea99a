# Merges packages and all they depend on into one tree that can serve as /usr and /etc of a file system.
{ debs, busybox, closureOf, system }:
{
  name,
  packages,
  meta ? { },
}:
derivation {
  inherit name system;
  builder = busybox;
  args = [ "sh" ./deb-env.sh ];
  inherit busybox;
  # The packages that were asked for: a profile has their programs.
  roots = map (package: debs.${package}) packages;
  packages = map (package: debs.${package}) (closureOf packages);
}
// {
  inherit meta;
}
