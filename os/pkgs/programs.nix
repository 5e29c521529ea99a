# A package as a path that programs can be started from: `${pkgs.jq}/bin/jq`. Each program starts with the libraries of the very packages
# that the lock names, whatever /usr holds; what programs in scripts need is a whole tree with an interpreter, made as for a profile.
{ lock, debs, busybox, debEnv, system, names }:
let
  inherit (builtins) elem filter genericClosure map;
  # What a package needs by its dependencies alone.
  closureOf =
    name:
    map (node: node.key) (genericClosure {
      startSet = [ { key = name; } ];
      operator = node: map (key: { inherit key; }) lock.packages.${node.key}.depends;
    });
  interpreters = [
    "libpython3-stdlib"
    "perl"
    "php-cli"
    "python3"
    "python3-minimal"
    "ruby"
    "tcl"
  ];
in
name:
let
  closure = closureOf name;
in
derivation {
  name = names.storeName name lock.packages.${name}.version;
  inherit system busybox;
  builder = busybox;
  args = [ "sh" ./programs.sh ];
  package = debs.${name};
  # Many packages have their programs in one that they depend on.
  related = map (other: debs.${other}) lock.packages.${name}.depends;
  closure = map (other: debs.${other}) closure;
  environment =
    if filter (other: elem other interpreters) closure == [ ] then
      ""
    else
      debEnv {
        name = "${name}-env";
        packages = [ name ] ++ lock.packages.${name}.depends;
      };
}
