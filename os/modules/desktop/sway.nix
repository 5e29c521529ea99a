# Sway: windows side by side on Wayland; and what programs with windows need.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.sway;
  portal = config.xdg.portal;
  graphics = config.hardware.graphics;
in
{
  options.programs = {
    sway = {
      enable = lib.mkEnableOption "Sway";
      package = forms.package "sway";
      extraPackages = mkOption {
        type = types.listOf types.package;
        default = map (name: pkgs.${name} or (pkgs.unlocked name)) [
          "brightnessctl"
          "foot"
          "grim"
          "sway-backgrounds"
          "swayidle"
          "swaylock"
          "wofi"
        ];
        defaultText = lib.literalExpression "with pkgs; [ brightnessctl foot grim sway-backgrounds swayidle swaylock wofi ]";
        description = "Packages that are there with it.";
      };
      extraSessionCommands = mkOption {
        type = types.lines;
        default = "";
        example = "export MOZ_ENABLE_WAYLAND=1";
        description = "Text of the shell that runs before Sway.";
      };
      extraOptions = forms.strings "Options of Sway's program.";
      xwayland.enable = forms.bool true "Whether programs for X11 can be used.";
      wrapperFeatures = {
        base = forms.bool true "Whether Sway is started with a bus of the session.";
        gtk = forms.bool false "Whether the settings of GTK are found.";
      };
      config = mkOption {
        type = types.nullOr types.lines;
        default = null;
        example = ''
          include /etc/sway/config.d/*
          bindsym Mod4+Return exec foot
        '';
        description = "Text of `/etc/sway/config`; null for that of the package.";
      };
    };
    xwayland.enable = forms.bool false "Whether there is a server for programs that know X11 only.";
    dconf.enable = forms.bool false "Whether programs keep their settings with dconf.";
    firefox = {
      enable = lib.mkEnableOption "Firefox";
      package = forms.package "firefox-esr";
      policies = mkOption {
        type = types.attrsOf forms.json;
        default = { };
        example = {
          DisableTelemetry = true;
        };
        description = "Policies for all its users.";
      };
      preferences = mkOption {
        type = types.attrsOf (types.oneOf [ types.bool types.int types.str ]);
        default = { };
        example = {
          "browser.startup.homepage" = "about:blank";
        };
        description = "Preferences of `about:config`.";
      };
    };
  };
  options.xdg.portal = {
    enable = forms.bool false "Whether programs ask the desktop for files and screens.";
    wlr.enable = forms.bool false "Whether screens of Sway and its like can be shown to others.";
    extraPortals = forms.packages "Packages of more portals.";
  };
  options.hardware.graphics = {
    enable = forms.bool false "Whether there are drivers for OpenGL and Vulkan.";
    extraPackages = forms.packages "Packages of more drivers.";
  };

  config = lib.mkMerge [
    (lib.mkIf cfg.enable {
      environment.systemPackages = [
        cfg.package
        # The session's own way to start it, with what is declared.
        (pkgs.writeShellScriptBin "sway-session" ''
          if [ -e /etc/set-environment ]; then . /etc/set-environment; fi
          ${cfg.extraSessionCommands}
          export XDG_SESSION_TYPE=wayland XDG_CURRENT_DESKTOP=sway
          # The user's manager has a bus; without one the session brings its own.
          bus=
          ${lib.optionalString cfg.wrapperFeatures.base ''
            if [ -z "''${DBUS_SESSION_BUS_ADDRESS-}" ]; then
              if [ -S "''${XDG_RUNTIME_DIR-}/bus" ]; then
                export DBUS_SESSION_BUS_ADDRESS="unix:path=$XDG_RUNTIME_DIR/bus"
              else
                bus="dbus-run-session --"
              fi
            fi
          ''}
          exec $bus sway ${lib.escapeShellArgs cfg.extraOptions} "$@"
        '')
      ]
      ++ cfg.extraPackages;
      system.debian.packages = [
        "dbus-user-session"
        "xkb-data"
      ];
      environment.etc."sway/config" = lib.mkIf (cfg.config != null) { text = cfg.config; };
      # What the package's configuration starts for Mod4+d.
      environment.etc."sway/config-vars.d/programs.conf" = lib.mkIf (builtins.any (package: package.deb or "" == "wofi") cfg.extraPackages) {
        text = "set $menu wofi --show drun\n";
      };
      programs.xwayland.enable = lib.mkDefault cfg.xwayland.enable;
      programs.dconf.enable = lib.mkDefault cfg.wrapperFeatures.gtk;
      hardware.graphics.enable = lib.mkDefault true;
      fonts.enableDefaultPackages = lib.mkDefault true;
      security.polkit.enable = true;
      xdg.portal = {
        enable = lib.mkDefault true;
        wlr.enable = lib.mkDefault true;
      };
    })
    (lib.mkIf config.programs.xwayland.enable { system.debian.packages = [ "xwayland" ]; })
    (lib.mkIf config.programs.dconf.enable { system.debian.packages = [ "dconf-service" ]; })
    (lib.mkIf config.programs.firefox.enable {
      environment.systemPackages = [ config.programs.firefox.package ];
      environment.etc."firefox/policies/policies.json" =
        lib.mkIf (config.programs.firefox.policies != { } || config.programs.firefox.preferences != { })
          {
            text = builtins.toJSON {
              policies =
                config.programs.firefox.policies
                // lib.optionalAttrs (config.programs.firefox.preferences != { }) {
                  Preferences = lib.mapAttrs (_: value: {
                    Value = value;
                    Status = "locked";
                  }) config.programs.firefox.preferences;
                };
            };
          };
    })
    { xdg.portal.enable = lib.mkIf portal.wlr.enable (lib.mkDefault true); }
    (lib.mkIf portal.enable {
      system.debian.packages = [ "xdg-desktop-portal" ] ++ lib.optional portal.wlr.enable "xdg-desktop-portal-wlr";
      environment.systemPackages = portal.extraPortals;
    })
    (lib.mkIf graphics.enable {
      system.debian.packages = [
        "libgl1-mesa-dri"
        "mesa-vulkan-drivers"
      ];
      environment.systemPackages = graphics.extraPackages;
    })
  ];
}
