# The Debian package set: every package of a lock file as store paths, environments made of them, and a mkDerivation
# that builds upstream sources with them. Needs nothing of the host and nothing of nixpkgs.
{
  lock ? builtins.fromJSON (builtins.readFile ./debian.lock.json),
  system ? "x86_64-linux",
}:
let
  names = import ./names.nix;
  fetchDebian = import ./fetch-debian.nix {
    inherit names;
    archives = lock.archives or { };
    suites = lock.suites or [ ];
  };
  unpackDeb = import ./unpack-deb.nix { inherit names fetchDebian; };

  # Each binary package of the lock, unpacked.
  debs = builtins.mapAttrs unpackDeb lock.packages;

  # busybox-static is the builder of everything else: one static program, so that no host file is needed. Since 1.36 it
  # comes in /usr/bin, the directory that /bin has become a link to.
  busybox =
    let
      version = names.version lock.packages.busybox-static.version;
      directory = if builtins.compareVersions version "1.36" < 0 then "bin" else "usr/bin";
    in
    "${debs.busybox-static}/${directory}/busybox";

  # Archives of programs that Debian does not have, by the name of the package.
  makers = {
    docker-ce = "docker=https://download.docker.com/linux/debian --key FILE --component stable";
    grafana = "grafana=https://apt.grafana.com --key FILE --suite stable";
    jellyfin = "jellyfin=https://repo.jellyfin.org/debian --key FILE";
    tailscale = "tailscale=https://pkgs.tailscale.com/stable/debian --key FILE";
  };

  # What to say of names that the lock lacks.
  notLocked =
    missing:
    let
      listed = builtins.concatStringsSep ", " (map (name: "'${name}'") missing);
    in
    "the lock of Debian packages lacks ${listed}; 'firn deb add ${if makers ? ${builtins.head missing} then "--archive ${makers.${builtins.head missing}} " else ""}${builtins.concatStringsSep " " missing}' adds ${
      if builtins.length missing == 1 then "it" else "them"
    }";

  essential = builtins.filter (name: lock.packages.${name}.essential or false) (builtins.attrNames lock.packages);

  # The names that `roots` need, themselves included: dependencies as locked, and the Essential packages.
  closureOf =
    roots:
    let
      missing = names.unique (builtins.filter (name: !(lock.packages ? ${name})) roots);
    in
    if missing != [ ] then
      throw (notLocked missing)
    else
      builtins.sort builtins.lessThan (
        map (node: node.key) (
          builtins.genericClosure {
            startSet = map (key: { inherit key; }) (roots ++ essential);
            operator = node: map (key: { inherit key; }) lock.packages.${node.key}.depends;
          }
        )
      );

  debEnv = import ./deb-env.nix { inherit debs busybox closureOf system; };

  programs = import ./programs.nix { inherit lock debs busybox debEnv system names; };

  systemEnv = import ./system-env.nix { inherit debs busybox closureOf system; };

  trivial = import ./trivial.nix { inherit busybox system; };

  mkDerivation = import ./mk-derivation.nix { inherit debs busybox closureOf debEnv system; };

  mkShell = import ./mk-shell.nix { inherit debEnv system; };

  npm = import ./npm.nix { inherit busybox system; };

  # Firn itself with its Node.js.
  firn = import ./firn.nix { inherit busybox debEnv npm system; };

  # A file of a locked source package, e.g. debianSource "hello" "hello_2.10.orig.tar.gz".
  debianSource =
    package: file:
    let
      source = lock.sources.${package} or (throw "Debian source package '${package}' is not in the lock");
    in
    fetchDebian file (source.files.${file} or (throw "source package '${package}' has no file '${file}'"));

  # One environment for each root of the lock.
  environments = builtins.listToAttrs (
    map (name: {
      inherit name;
      value = debEnv {
        name = names.storeName name lock.packages.${name}.version;
        packages = [ name ];
        meta = {
          inherit (lock.packages.${name}) description;
          mainProgram = name;
        };
      };
    }) (builtins.filter (name: lock.packages ? ${name}) lock.roots)
  );

  # What configurations call `pkgs`: the packages by name, and the builders.
  pkgs = import ./package-set.nix {
    inherit lock names notLocked debs programs busybox closureOf systemEnv mkDerivation debianSource firn system trivial;
  };
in
{
  inherit lock debs busybox closureOf debEnv systemEnv mkDerivation mkShell npm debianSource environments firn pkgs;
}
