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
    # nixpkgs' `shadow` is the shell of who may not log in.
    passwd = "/sbin/nologin";
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
    programs.of name
    // {
      inherit unpacked;
      # Outputs of nixpkgs' packages, which are one here.
      bin = packages.${name};
      lib = packages.${name};
      man = packages.${name};
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

  # Those of nixpkgs' names whose package is locked.
  nixpkgsNames = import ./nixpkgs-names.nix;
  aliased = builtins.listToAttrs (
    builtins.concatMap (
      name:
      let
        locked = builtins.filter (other: packages ? ${other}) nixpkgsNames.${name};
      in
      if packages ? ${name} || locked == [ ] then
        [ ]
      else
        [
          {
            inherit name;
            value = packages.${builtins.head locked};
          }
        ]
    ) (builtins.attrNames nixpkgsNames)
  );
  debianName = name: if nixpkgsNames ? ${name} then builtins.head nixpkgsNames.${name} else name;

  # Python's modules under the names of nixpkgs, and Python with some of them.
  pythonNames = {
    beautifulsoup4 = "bs4";
    pillow = "pil";
    pyyaml = "yaml";
    python-dateutil = "dateutil";
    pygobject3 = "gi";
    pyserial = "serial";
    pymysql = "pymysql";
  };
  pythonModule = name: "python3-${pythonNames.${name} or name}";
  pythonPackages =
    builtins.listToAttrs (
      builtins.concatMap (
        name:
        let
          module = builtins.match "python3-(.*)" name;
        in
        if module == null then [ ] else [ { name = builtins.head module; value = packages.${name}; } ]
      ) (builtins.attrNames packages)
    )
    // builtins.listToAttrs (
      builtins.concatMap (
        name: if packages ? ${pythonModule name} then [ { inherit name; value = packages.${pythonModule name}; } ] else [ ]
      ) (builtins.attrNames pythonNames)
    )
    // {
      __missing = name: if builtins.match "[A-Za-z0-9][A-Za-z0-9+._-]*" name == null then null else notLocked [ (pythonModule name) ];
    };
  python = packages.python3 // {
    pkgs = pythonPackages;
    withPackages = choose: (programs.including "python3" (map (module: module.deb) (choose pythonPackages))) // {
      pname = "python3";
      meta.mainProgram = "python3";
    };
  };

  # PHP with some of its modules. In a system they are part of /usr, where each of them is on; as a path it has a tree of its own.
  phpModules = {
    pgsql = [ "pdo_pgsql" ];
    mysql = [ "mysqli" "mysqlnd" "pdo_mysql" ];
    sqlite3 = [ "pdo_sqlite" ];
    xml = [ "dom" "simplexml" "xmlreader" "xmlwriter" "xsl" ];
    common = [ "calendar" "ctype" "exif" "ffi" "fileinfo" "filter" "ftp" "gettext" "iconv" "openssl" "pdo" "posix" "session" "shmop" "sockets" "sysvmsg" "sysvsem" "sysvshm" "tokenizer" "zlib" ];
    opcache = [ "opcache" ];
  };
  phpModule =
    name: if packages ? "php-${name}" then packages."php-${name}" else throw (notLocked [ "php-${name}" ]);
  phpExtensions =
    builtins.listToAttrs (
      builtins.concatMap (
        name:
        let
          module = builtins.match "php-(.*)" name;
        in
        if module == null then [ ] else [ { name = builtins.head module; value = packages.${name}; } ]
      ) (builtins.attrNames packages)
    )
    // builtins.listToAttrs (
      builtins.concatMap (
        package:
        map (name: {
          inherit name;
          value = phpModule (if package == "opcache" then "common" else package);
        }) phpModules.${package}
      ) (builtins.attrNames phpModules)
    )
    // {
      __missing = name: if builtins.match "[A-Za-z0-9][A-Za-z0-9+._-]*" name == null then null else notLocked [ "php-${name}" ];
    };
  # Modules that nixpkgs' PHP has without being asked, those of the lock.
  phpDefaults = builtins.concatMap (name: if packages ? "php-${name}" then [ packages."php-${name}" ] else [ ]) [
    "bcmath"
    "curl"
    "gd"
    "gmp"
    "intl"
    "ldap"
    "mbstring"
    "mysql"
    "pgsql"
    "soap"
    "sqlite3"
    "xml"
    "zip"
  ];
  phpWith =
    chosen: ini:
    let
      extensionPackages = lib.unique (map (module: module.deb) chosen);
    in
    (
      if chosen == [ ] then
        packages.php-cli
      else
        programs.including "php-cli" extensionPackages // { inherit (packages.php-cli) deb version; }
    )
    // {
      inherit extensionPackages;
      pname = "php";
      phpIni = ini;
      extensions = phpExtensions;
      meta = packages.php-cli.meta // { mainProgram = "php"; };
      withExtensions =
        choose:
        phpWith (choose {
          enabled = chosen;
          all = phpExtensions;
        }) ini;
      buildEnv =
        {
          extensions ? { enabled, ... }: enabled,
          extraConfig ? "",
        }:
        phpWith (extensions {
          enabled = chosen;
          all = phpExtensions;
        }) (ini + extraConfig);
    };

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
// (
  if packages ? python3 then
    {
      python3 = python;
      python3Full = python;
      python3Packages = pythonPackages;
    }
  else
    { }
)
// (
  if packages ? php-cli then
    {
      php = phpWith phpDefaults "";
      php82 = phpWith phpDefaults "";
      phpExtensions = phpExtensions;
      php82Extensions = phpExtensions;
    }
  else
    { }
)
// {
  # Firn tells this of a name that the set lacks.
  __missing = name: if !(nixpkgsNames ? ${name}) && builtins.match "[a-z0-9][a-z0-9+.-]+" name == null then null else notLocked [ (debianName name) ];
  # A package that the lock lacks, where it may be named but has no path.
  unlocked = name: {
    type = "derivation";
    inherit name;
    deb = name;
    pname = name;
    version = throw (notLocked [ name ]);
    outPath = throw (notLocked [ name ]);
    drvPath = throw (notLocked [ name ]);
    meta.mainProgram = name;
  };
  inherit busybox closureOf systemEnv mkDerivation debianSource firn system lock;
  # What builds here is Firn.
  nix = firn;
  nixVersions = {
    stable = firn;
    latest = firn;
    git = firn;
  };
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
