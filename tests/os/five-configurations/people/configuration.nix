# A machine of several people: who may do what, their shells and programs, and what runs by the clock.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  networking.hostName = "shared";
  time.timeZone = "UTC";

  users = {
    mutableUsers = false;
    defaultUserShell = pkgs.zsh;
    groups.developers.gid = 2000;
    users = {
      alice = {
        isNormalUser = true;
        description = "Alice Liddell";
        extraGroups = [
          "wheel"
          "developers"
        ];
        # "wonderland"
        hashedPassword = "$6$firnfirn$HAnNRX/H5SCFcvby3VYNaeKX8s6gA1PrW5ulu5xrTV4nUQLx4FlKUKozZMlJqxVf0H0Rnysn7Ke1Ow5zCy8fj.";
        packages = with pkgs; [
          jq
          tree
        ];
      };
      bob = {
        isNormalUser = true;
        shell = pkgs.bash;
        group = "developers";
        home = "/home/robert";
        createHome = true;
        hashedPasswordFile = "/etc/nixos/bob.password";
      };
      carol = {
        isNormalUser = true;
        uid = 1500;
        hashedPassword = "!";
        linger = true;
      };
      backup = {
        isSystemUser = true;
        group = "backup";
        useDefaultShell = true;
      };
    };
    groups.backup = { };
    users.root.hashedPassword = "!";
    motd = "Be kind.";
  };

  security.sudo = {
    enable = true;
    wheelNeedsPassword = false;
    execWheelOnly = false;
    extraRules = [
      {
        groups = [ "developers" ];
        commands = [
          {
            command = "/run/current-system/sw/bin/systemctl restart web.service";
            options = [ "NOPASSWD" ];
          }
          {
            command = "/usr/bin/systemctl restart web.service";
            options = [
              "NOPASSWD"
              "SETENV"
            ];
          }
        ];
      }
      {
        users = [ "carol" ];
        runAs = "backup";
        commands = [
          {
            command = "/usr/bin/id";
            options = [ "NOPASSWD" ];
          }
        ];
      }
    ];
    extraConfig = ''
      Defaults lecture = never
    '';
  };

  programs.zsh = {
    enable = true;
    enableCompletion = true;
    autosuggestions.enable = true;
    syntaxHighlighting.enable = true;
    histSize = 10000;
    shellAliases = {
      ll = "ls -l";
      update = "sudo firn os switch";
    };
    promptInit = ''
      PROMPT='%n@%m %~ %# '
    '';
    interactiveShellInit = ''
      bindkey -e
      setopt share_history
    '';
  };
  programs.git = {
    enable = true;
    config = {
      init.defaultBranch = "main";
      alias.st = "status";
      safe.directory = [ "/srv/repository" ];
    };
  };
  programs.neovim = {
    enable = true;
    defaultEditor = true;
    viAlias = true;
  };
  programs.tmux.enable = true;
  environment = {
    variables.PAGER = "less";
    sessionVariables.LESS = "-R";
    shellAliases.gs = "git status";
    etc."skel/.hushlogin".text = "";
  };

  services.cron = {
    enable = true;
    systemCronJobs = [
      "* * * * * carol date >>/home/carol/ticks"
      "@reboot backup echo started >/var/backup/started"
    ];
  };
  systemd.timers.tidy = {
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnCalendar = "daily";
      Persistent = true;
    };
  };
  systemd.services.tidy = {
    serviceConfig = {
      Type = "oneshot";
      User = "backup";
    };
    path = [ pkgs.jq ];
    script = ''
      echo '{"tidy": true}' | jq -r .tidy >/var/backup/tidy
    '';
  };
  systemd.services.web = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "${pkgs.coreutils}/bin/sleep infinity";
  };
  systemd.tmpfiles.rules = [
    "d /var/backup 0750 backup backup -"
    "d /srv/shared 2775 root developers -"
  ];

  system.activationScripts.bobsPassword = {
    deps = [ ];
    text = ''
      mkdir -p /etc/nixos
      test -e /etc/nixos/bob.password || echo '$6$firnfirn$HAnNRX/H5SCFcvby3VYNaeKX8s6gA1PrW5ulu5xrTV4nUQLx4FlKUKozZMlJqxVf0H0Rnysn7Ke1Ow5zCy8fj.' >/etc/nixos/bob.password
    '';
  };
  system.activationScripts.users.deps = [ "bobsPassword" ];
  system.stateVersion = "26.05";
}
