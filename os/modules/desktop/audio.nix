# Sound, by PipeWire in each user's session.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.pipewire;
  configuration = directory: lib.mapAttrs' (
    name: content: lib.nameValuePair "pipewire/${directory}.d/${name}.conf" { text = builtins.toJSON content; }
  );
in
{
  options.services.pipewire = {
    enable = lib.mkEnableOption "PipeWire";
    package = forms.package "pipewire";
    socketActivation = forms.bool true "Whether it is started when a program wants it.";
    audio.enable = forms.bool true "Whether it is the machine's sound server.";
    alsa = {
      enable = forms.bool false "Whether programs for ALSA use it.";
      support32Bit = forms.bool false "Whether programs of 32 bits do; Debian's packages here are of 64.";
    };
    pulse.enable = forms.bool false "Whether programs for PulseAudio use it.";
    jack.enable = forms.bool false "Whether programs for JACK use it.";
    wireplumber = {
      enable = forms.bool true "Whether WirePlumber manages it.";
      package = forms.package "wireplumber";
    };
    extraConfig = {
      pipewire = forms.attrsOf forms.json "Files of `pipewire.conf.d` by name.";
      pipewire-pulse = forms.attrsOf forms.json "Files of `pipewire-pulse.conf.d` by name.";
      client = forms.attrsOf forms.json "Files of `client.conf.d` by name.";
      jack = forms.attrsOf forms.json "Files of `jack.conf.d` by name.";
    };
  };
  options.security.rtkit.enable = forms.bool false "Whether programs of users, such as PipeWire, may run before others.";

  config = lib.mkMerge [
    (lib.mkIf cfg.enable {
      system.debian.packages = [
        cfg.package.deb
        "pipewire-bin"
      ]
      ++ lib.optional cfg.wireplumber.enable cfg.wireplumber.package.deb
      ++ lib.optional cfg.pulse.enable "pipewire-pulse"
      ++ lib.optional cfg.alsa.enable "pipewire-alsa"
      ++ lib.optional cfg.jack.enable "pipewire-jack";
      systemd.user.sockets = {
        pipewire.wantedBy = lib.mkIf cfg.socketActivation [ "sockets.target" ];
        pipewire-pulse.wantedBy = lib.mkIf (cfg.socketActivation && cfg.pulse.enable) [ "sockets.target" ];
      };
      systemd.user.services = {
        pipewire.wantedBy = lib.mkIf (!cfg.socketActivation) [ "default.target" ];
        pipewire-pulse.wantedBy = lib.mkIf (!cfg.socketActivation && cfg.pulse.enable) [ "default.target" ];
        wireplumber.wantedBy = lib.mkIf cfg.wireplumber.enable [ "pipewire.service" ];
      };
      environment.etc =
        configuration "pipewire.conf" cfg.extraConfig.pipewire
        // configuration "pipewire-pulse.conf" cfg.extraConfig.pipewire-pulse
        // configuration "client.conf" cfg.extraConfig.client
        // configuration "jack.conf" cfg.extraConfig.jack;
    })
    (lib.mkIf config.security.rtkit.enable {
      system.debian.packages = [ "rtkit" ];
      security.polkit.enable = true;
      users.users.rtkit = {
        isSystemUser = true;
        group = "rtkit";
        home = "/proc";
        createHome = false;
      };
      users.groups.rtkit = { };
      systemd.services.rtkit-daemon.wantedBy = [ "multi-user.target" ];
    })
  ];
}
