# The set that configurations know as `pkgs`. A Debian package is a path with its programs (programs.nix) and the attribute `deb`: where
# a package may be named (environment.systemPackages, a unit's path), that makes it and all it needs a part of /usr. Its files as they
# are in the archive are its attribute `unpacked`.
{ lock, names, notLocked, debs, programs, busybox, closureOf, systemEnv, mkDerivation, debianSource, firn, system, trivial }:
let
  lib = import ../lib;
  shells = {
    bash = "/bin/bash";
    dash = "/bin/dash";
    zsh = "/bin/zsh";
    fish = "/bin/fish";
  };
  # The program that a package is known by where that has another name.
  mainPrograms = {
    bat = "batcat";
    coreutils = "ls";
    "docker.io" = "docker";
    fd-find = "fdfind";
    gnupg = "gpg";
    libcap2-bin = "setcap";
    mariadb-server = "mariadbd";
    neovim = "nvim";
    netcat-openbsd = "nc";
    network-manager = "nmcli";
    nginx-light = "nginx";
    openssh-client = "ssh";
    openssh-server = "sshd";
    procps = "ps";
    ripgrep = "rg";
    vim-tiny = "vi";
    wireguard-tools = "wg";
    xz-utils = "xz";
  };
  packages = builtins.mapAttrs (
    name: unpacked:
    programs name
    // {
      inherit unpacked;
      deb = name;
      pname = name;
      version = names.version lock.packages.${name}.version;
      meta = {
        inherit (lock.packages.${name}) description;
        mainProgram = mainPrograms.${name} or name;
      };
    }
    // (if shells ? ${name} then { shellPath = shells.${name}; } else { })
  ) debs;

  # Names that NixOS configurations use for what Debian calls otherwise; only those whose package is locked.
  aliases = {
    avahi = "avahi-daemon";
    bashInteractive = "bash";
    cacert = "ca-certificates";
    dnsutils = "dnsutils";
    docker = "docker.io";
    gnugrep = "grep";
    gnused = "sed";
    gnutar = "tar";
    iproute2 = "iproute2";
    iputils = "iputils-ping";
    mariadb = "mariadb-server";
    networkmanager = "network-manager";
    nfs-utils = "nfs-common";
    nginx = "nginx-light";
    nginxMainline = "nginx-light";
    nginxStable = "nginx-light";
    openssh = "openssh-server";
    postgresql_15 = "postgresql-15";
    redis = "redis-server";
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

  # The newest kernel of the lock among those of a kind: an attribute `kernel`, as NixOS's sets of kernels have it.
  kernelsOf =
    kind:
    let
      releases = builtins.filter (release: release != null) (
        map (
          name:
          let
            release = builtins.match "linux-image-([0-9].*)-${kind}" name;
          in
          if release == null || (kind == "amd64" && builtins.match ".*-(cloud|rt)" (builtins.head release) != null) then
            null
          else
            "${builtins.head release}-${kind}"
        ) (builtins.attrNames lock.packages)
      );
      newest = builtins.foldl' (a: b: if builtins.compareVersions a b > 0 then a else b) "" releases;
    in
    {
      kernel =
        if releases == [ ] then
          throw (notLocked [ "linux-image-${kind}" ])
        else
          packages."linux-image-${newest}"
          // {
            kernelRelease = newest;
            modDirVersion = newest;
          };
      isLocked = releases != [ ];
    };
in
packages
// aliased
// trivial
// {
  # Firn tells this of a name that the set lacks.
  __missing = name: if builtins.match "[a-z0-9][a-z0-9+.-]+" name == null then null else notLocked [ name ];
  inherit busybox closureOf systemEnv mkDerivation debianSource firn system lock;
  formats = import ./formats.nix { inherit lib trivial; };
  # Debian's kernel, with all drivers; the newest is the only one of a lock.
  linuxPackages = kernelsOf "amd64";
  linuxPackages_latest = kernelsOf "amd64";
  # The same without the drivers that virtual machines have no use for.
  linuxPackages_cloud = kernelsOf "cloud-amd64";
  stdenv.hostPlatform = {
    inherit system;
    isLinux = true;
    isx86_64 = system == "x86_64-linux";
    isAarch64 = system == "aarch64-linux";
  };
}
