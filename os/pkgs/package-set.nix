# The set that configurations know as `pkgs`. A Debian package is its unpacked tree with the attribute `deb`: where a
# package may be named (environment.systemPackages, a unit's path), that makes it and all it needs a part of /usr.
{ lock, names, notLocked, debs, busybox, closureOf, systemEnv, mkDerivation, debianSource, firn, system, trivial }:
let
  shells = {
    bash = "/bin/bash";
    dash = "/bin/dash";
    zsh = "/bin/zsh";
    fish = "/bin/fish";
  };
  packages = builtins.mapAttrs (
    name: unpacked:
    unpacked
    // {
      deb = name;
      pname = name;
      version = names.version lock.packages.${name}.version;
      meta = {
        inherit (lock.packages.${name}) description;
        mainProgram = name;
      };
    }
    // (if shells ? ${name} then { shellPath = shells.${name}; } else { })
  ) debs;

  # Names that NixOS configurations use for what Debian calls otherwise; only those whose package is locked.
  aliases = {
    bashInteractive = "bash";
    cacert = "ca-certificates";
    dnsutils = "dnsutils";
    gnugrep = "grep";
    gnused = "sed";
    gnutar = "tar";
    iproute2 = "iproute2";
    iputils = "iputils-ping";
    nginx = "nginx-light";
    openssh = "openssh-server";
    shadow = "passwd";
    util-linux = "util-linux";
    vim = "vim-tiny";
  };
  aliased = builtins.listToAttrs (
    builtins.concatMap (
      name:
      if packages ? ${name} || !(packages ? ${aliases.${name}}) then
        [ ]
      else
        [
          {
            inherit name;
            value = packages.${aliases.${name}};
          }
        ]
    ) (builtins.attrNames aliases)
  );
in
packages
// aliased
// trivial
// {
  # Firn tells this of a name that the set lacks.
  __missing = name: if builtins.match "[a-z0-9][a-z0-9+.-]+" name == null then null else notLocked [ name ];
  inherit busybox closureOf systemEnv mkDerivation debianSource firn system lock;
  stdenv.hostPlatform = {
    inherit system;
    isLinux = true;
    isx86_64 = system == "x86_64-linux";
    isAarch64 = system == "aarch64-linux";
  };
}
