# GnuPG's agent, which keeps passphrases and may serve as that of ssh.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.gnupg;
  agent = cfg.agent;
  settings = agent.settings // lib.optionalAttrs (agent.pinentryPackage != null) { pinentry-program = "/usr/bin/pinentry"; };
in
{
  options.programs.gnupg = {
    package = forms.package "gnupg";
    agent = {
      enable = lib.mkEnableOption "GnuPG's agent for each user";
      enableSSHSupport = forms.bool false "Whether it serves as ssh's agent.";
      enableExtraSocket = forms.bool false "Whether it can be passed on to other machines.";
      enableBrowserSocket = forms.bool false "Whether browsers may use it.";
      pinentryPackage = forms.optional types.package "Package of the program that asks for passphrases.";
      settings = mkOption {
        type = types.attrsOf (types.nullOr (types.oneOf [ types.bool types.int types.str ]));
        default = { };
        example = {
          default-cache-ttl = 600;
        };
        description = "Settings of `gpg-agent.conf`.";
      };
    };
    dirmngr.enable = lib.mkEnableOption "dirmngr, which fetches keys";
  };
  config = lib.mkMerge [
    (lib.mkIf (agent.enable || cfg.dirmngr.enable) { environment.systemPackages = [ cfg.package ]; })
    (lib.mkIf cfg.dirmngr.enable {
      system.debian.packages = [ "dirmngr" ];
      systemd.user.sockets.dirmngr.wantedBy = [ "sockets.target" ];
    })
    (lib.mkIf agent.enable {
      system.debian.packages = [ "gpg-agent" ] ++ lib.optional (agent.pinentryPackage != null) agent.pinentryPackage.deb;
      systemd.user.sockets = {
        gpg-agent.wantedBy = [ "sockets.target" ];
      }
      // lib.optionalAttrs agent.enableSSHSupport { gpg-agent-ssh.wantedBy = [ "sockets.target" ]; }
      // lib.optionalAttrs agent.enableExtraSocket { gpg-agent-extra.wantedBy = [ "sockets.target" ]; }
      // lib.optionalAttrs agent.enableBrowserSocket { gpg-agent-browser.wantedBy = [ "sockets.target" ]; };
      environment.interactiveShellInit = ''
        export GPG_TTY=$(tty)
        ${lib.optionalString agent.enableSSHSupport "if [ -z \"$SSH_CONNECTION\" ] && [ -n \"$XDG_RUNTIME_DIR\" ]; then export SSH_AUTH_SOCK=\"$XDG_RUNTIME_DIR/gnupg/S.gpg-agent.ssh\"; fi"}
      '';
      environment.etc."gnupg/gpg-agent.conf" = lib.mkIf (settings != { }) {
        text = lib.concatStrings (
          lib.mapAttrsToList (
            name: value: if value == true then "${name}\n" else lib.optionalString (value != false && value != null) "${name} ${toString value}\n"
          ) settings
        );
      };
      assertions = [
        {
          assertion = agent.enableSSHSupport -> !config.programs.ssh.startAgent;
          message = "programs.gnupg.agent.enableSSHSupport and programs.ssh.startAgent exclude each other";
        }
      ];
    })
  ];
}
