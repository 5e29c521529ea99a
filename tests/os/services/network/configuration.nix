# What a machine offers to a network of people: files, names, printing, figures; and the programs that they use on it.
{ modulesPath, pkgs, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.isContainer = true;
  networking.hostName = "office";
  environment.systemPackages = [
    pkgs.curl
    pkgs.smbclient
    pkgs.socat
  ];

  services.samba = {
    enable = true;
    # It waits for an interface, and the container has none at first.
    nmbd.enable = false;
    settings.share = {
      path = "/srv/share";
      "read only" = false;
    };
  };
  services.avahi = {
    enable = true;
    nssmdns4 = true;
    publish = {
      enable = true;
      addresses = true;
      userServices = true;
    };
  };
  services.printing.enable = true;
  services.cron.systemCronJobs = [ "* * * * * alice date >/home/alice/ran" ];
  services.prometheus = {
    enable = true;
    scrapeConfigs = [
      {
        job_name = "node";
        scrape_interval = "1s";
        static_configs = [ { targets = [ "127.0.0.1:9100" ]; } ];
      }
    ];
    exporters.node = {
      enable = true;
      enabledCollectors = [ "systemd" ];
    };
    alertmanager = {
      enable = true;
      configuration = {
        route.receiver = "nobody";
        receivers = [ { name = "nobody"; } ];
      };
    };
    pushgateway.enable = true;
  };
  networking.networkmanager = {
    enable = true;
    ensureProfiles.profiles.local = {
      connection = {
        id = "local";
        type = "bridge";
        interface-name = "br0";
      };
      ipv4 = {
        method = "manual";
        addresses = "10.20.30.1/24";
      };
    };
  };

  programs.zsh = {
    enable = true;
    autosuggestions.enable = true;
    syntaxHighlighting.enable = true;
    shellAliases.hi = "echo hello from zsh";
  };
  programs.fish = {
    enable = true;
    shellAliases.hi = "echo hello from fish";
    shellAbbrs.gco = "git checkout";
  };
  programs.tmux = {
    enable = true;
    keyMode = "vi";
    shortcut = "a";
  };
  programs.git = {
    enable = true;
    config.init.defaultBranch = "trunk";
    lfs.enable = true;
    attributes = "*.pdf diff=pdf";
  };
  programs.vim.enable = true;
  environment.variables.EVERYWHERE = "yes";

  systemd.tmpfiles.rules = [ "d /srv/share - alice users -" ];
  users.users.alice = {
    isNormalUser = true;
    shell = pkgs.zsh;
  };
  users.users.bob = {
    isNormalUser = true;
    shell = pkgs.fish;
    extraGroups = [ "networkmanager" ];
  };
}
