# The machine of somebody who writes programs.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  networking.hostName = "desk";
  networking.networkmanager.enable = true;
  time.timeZone = "America/New_York";
  i18n = {
    defaultLocale = "en_US.UTF-8";
    extraLocaleSettings = {
      LC_TIME = "de_DE.UTF-8";
      LC_PAPER = "de_DE.UTF-8";
    };
  };
  console.keyMap = "de";

  fonts = {
    packages = with pkgs; [
      dejavu_fonts
      fonts-urw-base35
    ];
    fontconfig = {
      defaultFonts = {
        monospace = [ "DejaVu Sans Mono" ];
        serif = [ "C059" ];
        sansSerif = [ "DejaVu Sans" ];
      };
      hinting.style = "slight";
      subpixel.rgba = "rgb";
    };
  };

  users.defaultUserShell = pkgs.zsh;
  users.users.dev = {
    isNormalUser = true;
    description = "Dev Eloper";
    extraGroups = [
      "wheel"
      "networkmanager"
      "dialout"
    ];
    packages = with pkgs; [
      ripgrep
      fzf
      jq
    ];
    initialHashedPassword = "";
  };
  users.users.fisher = {
    isNormalUser = true;
    shell = pkgs.fish;
  };

  programs = {
    zsh = {
      enable = true;
      autosuggestions.enable = true;
      syntaxHighlighting.enable = true;
      enableCompletion = true;
      histSize = 10000;
      shellAliases = {
        ll = "ls -l";
        update = "firn os switch";
      };
      interactiveShellInit = ''
        bindkey -v
      '';
      promptInit = ''
        PROMPT='%n@%m %~ %# '
      '';
      setOptions = [
        "HIST_IGNORE_DUPS"
        "SHARE_HISTORY"
        "HIST_FCNTL_LOCK"
        "AUTO_CD"
      ];
    };
    fish = {
      enable = true;
      shellAbbrs.g = "git";
      interactiveShellInit = "set -g fish_greeting";
    };
    git = {
      enable = true;
      lfs.enable = true;
      config = {
        init.defaultBranch = "main";
        pull.rebase = true;
        user.name = "Dev Eloper";
        user.email = "dev@example.org";
        url."https://github.com/".insteadOf = [
          "gh:"
          "github:"
        ];
      };
    };
    tmux = {
      enable = true;
      keyMode = "vi";
      shortcut = "a";
      baseIndex = 1;
      escapeTime = 0;
      terminal = "tmux-256color";
      historyLimit = 50000;
      newSession = true;
      extraConfig = ''
        set -g mouse on
      '';
    };
    neovim = {
      enable = true;
      defaultEditor = true;
      viAlias = true;
      vimAlias = true;
      configure.customRC = ''
        set number
        let g:mine = 7
      '';
    };
    direnv.enable = true;
    gnupg.agent.enable = true;
    ssh = {
      startAgent = true;
      extraConfig = ''
        Host work
          HostName work.example.org
          User dev
      '';
      knownHosts."github.com".publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    };
    less.enable = true;
    htop = {
      enable = true;
      settings.hide_kernel_threads = true;
    };
    nix-ld.enable = true;
  };

  virtualisation.podman = {
    enable = true;
    dockerCompat = true;
    dockerSocket.enable = true;
    autoPrune.enable = true;
    defaultNetwork.settings.dns_enabled = true;
  };
  virtualisation.containers.registries.search = [ "docker.io" ];

  environment = {
    systemPackages = with pkgs; [
      vim
      wget
      gcc
      gnumake
      nodejs
      (python3.withPackages (ps: with ps; [ packaging ]))
      (writeShellScriptBin "hello-dev" ''
        echo "hello from ${config.networking.hostName}"
      '')
    ];
    sessionVariables = {
      MOZ_ENABLE_WAYLAND = "1";
      XDG_DATA_HOME = "$HOME/.local/share";
    };
    variables = {
      PAGER = "less -R";
      GOPATH = "$HOME/go";
    };
    shellInit = "export FROM_SHELL_INIT=1";
    shells = with pkgs; [
      bashInteractive
      zsh
    ];
    pathsToLink = [ "/share/zsh" ];
    etc."xdg/user-dirs.defaults".text = "DOWNLOAD=downloads\n";
  };

  security = {
    sudo.wheelNeedsPassword = false;
    sudo.extraRules = [
      {
        users = [ "fisher" ];
        commands = [
          {
            command = "/run/current-system/sw/bin/systemctl restart cups.service";
            options = [ "NOPASSWD" ];
          }
        ];
      }
    ];
    pam.loginLimits = [
      {
        domain = "@wheel";
        item = "nofile";
        type = "soft";
        value = "8192";
      }
    ];
    polkit.enable = true;
  };

  systemd.user.services.greet = {
    description = "A service of each user";
    wantedBy = [ "default.target" ];
    serviceConfig.Type = "oneshot";
    script = "echo hello >$HOME/greeted";
  };
  systemd.user.timers.tidy = {
    wantedBy = [ "timers.target" ];
    timerConfig.OnCalendar = "daily";
  };
  systemd.user.services.tidy.script = "true";
  users.users.dev.linger = true;

  nix.settings = {
    experimental-features = [
      "nix-command"
      "flakes"
    ];
    auto-optimise-store = true;
    trusted-users = [
      "root"
      "@wheel"
    ];
  };
  nix.gc = {
    automatic = true;
    dates = "weekly";
    options = "--delete-older-than 14d";
  };
  nixpkgs.config.allowUnfree = true;
  services.printing.enable = true;
  services.locate.enable = true;
  zramSwap.enable = true;
  boot.tmp.cleanOnBoot = true;
  system.stateVersion = lib.mkDefault "25.05";
}
