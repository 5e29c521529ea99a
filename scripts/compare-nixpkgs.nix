# What scripts/compare-nixpkgs.ts evaluates with both: packages and whole systems of a nixpkgs tree, by attribute path.
{
  nixpkgs,
  homeManager ? "",
  names ? "",
}:
let
  pkgs = import nixpkgs {
    system = "x86_64-linux";
    config.allowUnfree = true;
    overlays = [ ];
  };

  at = path: builtins.foldl' (value: name: value.${name}) everything path;
  nixos = modules: (import (nixpkgs + "/nixos") {
    system = "x86_64-linux";
    configuration = {
      imports = modules ++ [ base ];
    };
  }).config.system.build.toplevel;
  base = {
    boot.loader.grub.device = "/dev/sda";
    fileSystems."/" = {
      device = "/dev/sda1";
      fsType = "ext4";
    };
    system.stateVersion = "26.05";
  };
  # Desktops were below services.xserver once.
  desktop =
    { today, once }:
    nixos [
      (
        { options, ... }:
        {
          services = if options.services ? desktopManager then today else { xserver = once // { enable = true; }; };
        }
      )
    ];
  systems = {
    minimal = nixos [ ];
    nginx-jellyfin = nixos [
      {
        services.jellyfin.enable = true;
        services.nginx = {
          enable = true;
          recommendedProxySettings = true;
          virtualHosts.localhost.locations."/".proxyPass = "http://127.0.0.1:8096";
        };
      }
    ];
    gnome = desktop {
      today.desktopManager.gnome.enable = true;
      today.displayManager.gdm.enable = true;
      once.desktopManager.gnome3.enable = true;
      once.displayManager.gdm.enable = true;
    };
    plasma = desktop {
      today.desktopManager.plasma6.enable = true;
      today.displayManager.sddm.enable = true;
      once.desktopManager.plasma5.enable = true;
      once.displayManager.sddm.enable = true;
    };
    home =
      (import (homeManager + "/modules") {
        inherit pkgs;
        configuration = {
          home = {
            username = "someone";
            homeDirectory = "/home/someone";
            stateVersion = "26.05";
            packages = [ pkgs.hello ];
            sessionVariables.EDITOR = "vim";
          };
          programs = {
            bash.enable = true;
            firefox.enable = true;
            git.enable = true;
            tmux.enable = true;
            vim.enable = true;
          };
          services.gpg-agent.enable = true;
        };
      }).activationPackage;
  };
  everything = pkgs // {
    "system" = systems;
  };

  describe =
    path:
    let
      value = at path;
      drvPath = builtins.tryEval (
        if builtins.isAttrs value && value.type or null == "derivation" then
          value.drvPath
        else
          "no derivation but a ${builtins.typeOf value}"
      );
    in
    if drvPath.success then drvPath.value else "throws";
  members =
    path:
    let
      found = builtins.tryEval (builtins.attrNames (at path));
    in
    builtins.toJSON (if found.success then found.value else [ ]);
  wanted = builtins.fromJSON (builtins.readFile names);
  # Traces each name's number and what is said of it at once, so that nothing is lost by a fatal error after it.
  traced =
    describe:
    builtins.foldl' (
      number: path: builtins.trace "compared ${toString number} ${describe path}" (number + 1)
    ) 0 wanted;
in
{
  # The names in sets of packages.
  list = traced members;
  # The derivation paths of packages.
  report = traced describe;
  # The first of the names itself, to be instantiated.
  one = at (builtins.head wanted);
}
