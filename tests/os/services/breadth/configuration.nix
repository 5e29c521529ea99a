# What configurations of NixOS say besides services: names of packages, overlays, networks, authorities, agents, printers.
{ lib, modulesPath, pkgs, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.isContainer = true;
  systemd.network.wait-online.enable = false;

  networking = {
    hostName = "broad";
    hostId = "00c0ffee";
    proxy.default = "http://proxy.test:3128";
    bonds.bond0 = {
      interfaces = [ "eth8" "eth9" ];
      driverOptions = {
        mode = "active-backup";
        miimon = "100";
      };
    };
    firewall = {
      checkReversePath = "loose";
      logReversePathDrops = true;
      logRefusedPackets = true;
      filterForward = true;
      extraForwardRules = "iifname lan accept";
    };
    nftables.tables.mine = {
      family = "inet";
      content = "chain early { type filter hook input priority -5; }";
    };
    nat = {
      enable = true;
      enableIPv6 = true;
      externalInterface = "wan";
      internalInterfaces = [ "lan" ];
      forwardPorts = [
        {
          sourcePort = 2222;
          destination = "10.0.0.5:22";
        }
        {
          sourcePort = 2222;
          destination = "[fd00::5]:22";
        }
      ];
    };
  };

  nixpkgs.overlays = [
    (final: prev: { tool = prev.writeShellScriptBin "tool" "echo ${final.word}"; })
    (_: _: { word = "mine"; })
  ];
  environment.systemPackages = with pkgs; [
    tool
    fd
    dig
    openssl
    (python3.withPackages (modules: with modules; [ systemd ]))
  ];
  environment.etc."app.toml".source = (pkgs.formats.toml { }).generate "app.toml" {
    title = "one";
    servers.first.ports = [ 1 2 ];
  };
  environment.extraInit = "export FROM_INIT=yes";
  environment.homeBinInPath = true;
  documentation.enable = true;
  documentation.doc.enable = false;

  security.pki.certificateFiles = [ ./authority.pem ];
  security.sudo.configFile = "Defaults lecture = never";
  programs.ssh.startAgent = true;
  programs.gnupg.agent.enable = true;
  programs.less = {
    enable = true;
    envVariables.LESS = "-R";
  };
  programs.tmux = {
    enable = true;
    plugins = [
      (pkgs.writeTextFile {
        name = "plugin";
        executable = true;
        destination = "/mine.tmux";
        text = "#!/usr/bin/sh\ntmux set -g @mine yes\n";
      })
    ];
  };
  programs.neovim = {
    enable = true;
    runtime."plugin/mine.vim".text = "let g:mine = 7";
  };
  services.printing.cups-pdf = {
    enable = true;
    instances.pdf.settings.Out = "\${HOME}/pdf";
  };
  nix.distributedBuilds = true;
  nix.buildMachines = [
    {
      hostName = "builder.test";
      system = "x86_64-linux";
      sshUser = "nix";
      maxJobs = 3;
      supportedFeatures = [ "kvm" ];
    }
  ];

  system.nixos.tags = [ "broad" ];
  system.configurationRevision = "revision-1";
  system.extraDependencies = [ pkgs.emptyFile ];
  users.users.alice = {
    isNormalUser = true;
    uid = 1000;
    linger = true;
    extraGroups = [ "wheel" "nobodys" ];
  };
  users.users.bob = {
    isNormalUser = true;
    uid = 1001;
    subUidRanges = [
      {
        startUid = 700000;
        count = 10;
      }
    ];
  };
}
