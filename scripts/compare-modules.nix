# The derivation path of a NixOS system of a nixpkgs tree, evaluated with its own lib or with os/lib in the place of all that
# os/lib offers. The manual is left out: it has the descriptions of the options of `_module`, which are our own.
{
  nixpkgs,
  library ? null,
  homeManager ? null,
  system,
}:
let
  theirs = import (nixpkgs + "/lib");
  ours = import library;
  # Sets of functions are merged one by one below; functions of sources name what they copy differently.
  notReplaced = [
    "attrsets"
    "cleanSource"
    "cleanSourceFilter"
    "cleanSourceWith"
    "cli"
    "extend"
    "filesystem"
    "generators"
    "lists"
    "meta"
    "oldestSupportedReleaseIsAtLeast"
    "parts"
    "sourceByRegex"
    "sourceFilesBySuffices"
    "sources"
    "strings"
    "trivial"
  ];
  replaced = removeAttrs ours notReplaced;
  extended = theirs.extend (
    final: previous:
    let
      # With what others add to the library (home-manager does), so that modules are given that too.
      own = ours.extend (_: _: removeAttrs final (builtins.attrNames replaced));
    in
    builtins.mapAttrs (name: _: own.${name}) (builtins.intersectAttrs theirs replaced)
    // {
      types = previous.types // own.types;
      modules = previous.modules // own.modules;
      options = previous.options // own.options;
    }
  );
  lib = if library == null then theirs else extended;

  base = {
    fileSystems."/" = {
      device = "/dev/sda1";
      fsType = "ext4";
    };
    boot.loader.grub.device = "/dev/sda";
    system.stateVersion = "26.11";
    documentation.nixos.enable = false;
  };
  systems = {
    minimal = { };
    server = {
      services.nginx = {
        enable = true;
        virtualHosts."example.org" = {
          forceSSL = true;
          enableACME = true;
          locations."/".proxyPass = "http://localhost:8096";
        };
      };
      security.acme = {
        acceptTerms = true;
        defaults.email = "me@example.org";
      };
      services.jellyfin.enable = true;
      services.openssh.enable = true;
      services.postgresql.enable = true;
      services.restic.backups.all = {
        paths = [ "/srv" ];
        repository = "/backup";
        passwordFile = "/etc/restic";
      };
      networking.wireguard.interfaces.wg0 = {
        ips = [ "10.0.0.1/24" ];
        privateKeyFile = "/key";
      };
      users.users.alice = {
        isNormalUser = true;
        extraGroups = [ "wheel" ];
      };
      containers.inner.config = {
        system.stateVersion = "26.11";
        services.redis.servers.a.enable = true;
        documentation.nixos.enable = false;
      };
    };
    gnome = {
      services.desktopManager.gnome.enable = true;
      services.displayManager.gdm.enable = true;
    };
    plasma = {
      services.desktopManager.plasma6.enable = true;
      services.displayManager.sddm.enable = true;
      services.pipewire.enable = true;
    };
  };
  nixos =
    (import (nixpkgs + "/nixos/lib/eval-config.nix") (
      {
        inherit lib;
        system = "x86_64-linux";
        modules = [
          base
          systems.${system}
        ];
      }
      // (if library == null then { } else { specialArgs = { inherit lib; }; })
    )).config.system.build.toplevel;

  home =
    (import (homeManager + "/modules") {
      inherit lib;
      pkgs = import nixpkgs { system = "x86_64-linux"; };
      configuration = {
        home = {
          username = "alice";
          homeDirectory = "/home/alice";
          stateVersion = "26.05";
        };
        manual.manpages.enable = false;
        xdg.enable = true;
        programs = {
          firefox.enable = true;
          git.enable = true;
          neovim.enable = true;
          tmux.enable = true;
          zsh.enable = true;
        };
        services.syncthing.enable = true;
      };
    }).activationPackage;
in
(if system == "home" then home else nixos).drvPath
