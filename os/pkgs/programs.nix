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
  make =
    name: suffix: environment:
    derivation {
      name = names.storeName "${name}${suffix}" lock.packages.${name}.version;
      inherit system busybox environment;
      builder = busybox;
      args = [ "sh" ./programs.sh ];
      package = debs.${name};
      # Many packages have their programs in one that they depend on.
      related = map (other: debs.${other}) lock.packages.${name}.depends;
      closure = map (other: debs.${other}) (closureOf name);
    };
  treeOf =
    name: more:
    debEnv {
      name = "${name}-env";
      packages = [ name ] ++ lock.packages.${name}.depends ++ more;
    };
in
{
  of =
    name:
    make name "" (if filter (other: elem other interpreters) (closureOf name) == [ ] then "" else treeOf name [ ]);
  # The same with a tree of its own that has further packages.
  including = name: more: make name "-with-packages" (treeOf name more);
}
