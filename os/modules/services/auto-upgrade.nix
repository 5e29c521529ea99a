# Upgrades and collection of garbage by the clock.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  upgrade = config.system.autoUpgrade;
  gc = config.nix.gc;
  optimise = config.nix.optimise;
  firn = "${config.programs.firn.package}/bin/firn";
in
{
  options = {
    system.autoUpgrade = {
      enable = lib.mkEnableOption "building and switching to the newest version of the configuration by the clock";
      flake = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "github:me/machines#media";
        description = "Flake with the configuration; null takes /etc/nixos.";
      };
      upgrade = mkOption {
        type = types.bool;
        default = true;
        description = ''
          Whether the lock of Debian packages in `/etc/nixos` is renewed first, so that security fixes come. It concerns a configuration
          in `/etc/nixos` only: a flake from elsewhere has its own lock.
        '';
      };
      flags = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Further arguments of `firn os`.";
      };
      operation = mkOption {
        type = types.enum [ "switch" "boot" ];
        default = "switch";
        description = "Whether the new system is switched to, or booted next.";
      };
      dates = mkOption {
        type = types.str;
        default = "04:40";
        description = "When, as a calendar event of systemd.time(7).";
      };
      randomizedDelaySec = mkOption {
        type = types.str;
        default = "0";
        description = "A random delay up to this, so that not all machines ask at once.";
      };
      persistent = mkOption {
        type = types.bool;
        default = true;
        description = "Whether an upgrade that was missed while the machine was off is made up for.";
      };
      rebootWindow = mkOption {
        type = types.nullOr (
          types.submodule {
            options = {
              lower = mkOption {
                type = types.strMatching "[[:digit:]]{2}:[[:digit:]]{2}";
                example = "01:00";
                description = "From when.";
              };
              upper = mkOption {
                type = types.strMatching "[[:digit:]]{2}:[[:digit:]]{2}";
                example = "05:00";
                description = "Until when.";
              };
            };
          }
        );
        default = null;
        description = "Time of the day at which the machine may be started again; outside of it the new system waits for the next start.";
      };
      allowReboot = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the machine is started again when the kernel changed.";
      };
    };
    nix.gc = {
      automatic = mkOption {
        type = types.bool;
        default = false;
        description = "Whether garbage is collected by the clock.";
      };
      dates = mkOption {
        type = types.either types.str (types.listOf types.str);
        default = "03:15";
        description = "When, as calendar events of systemd.time(7).";
      };
      randomizedDelaySec = mkOption {
        type = types.str;
        default = "0";
        description = "A random delay up to this.";
      };
      persistent = mkOption {
        type = types.bool;
        default = true;
        description = "Whether a missed run is made up for.";
      };
      options = mkOption {
        type = types.str;
        default = "";
        example = "--delete-older-than 30d";
        description = "Arguments of the collection, those of `nix-collect-garbage`. Generations that it deletes leave the boot menu.";
      };
    };
    nix.optimise = {
      automatic = mkOption {
        type = types.bool;
        default = false;
        description = "Whether equal files of the store are linked by the clock.";
      };
      dates = mkOption {
        type = types.listOf types.str;
        default = [ "03:45" ];
        description = "When, as calendar events of systemd.time(7).";
      };
    };
  };

  config = lib.mkMerge [
    (lib.mkIf upgrade.enable {
      systemd.services.nixos-upgrade = {
        description = "Upgrade of the system";
        restartIfChanged = false;
        unitConfig.X-StopOnRemoval = false;
        wants = [ "network-online.target" ];
        after = [ "network-online.target" ];
        serviceConfig.Type = "oneshot";
        environment.HOME = "/root";
        script = ''
          ${lib.optionalString (upgrade.upgrade && upgrade.flake == null) "${firn} deb update -o /etc/nixos/debian.lock.json"}
          ${firn} os ${
            if upgrade.allowReboot then "boot" else upgrade.operation
          } ${lib.optionalString (upgrade.flake != null) "--flake ${lib.escapeShellArg upgrade.flake}"} ${lib.escapeShellArgs upgrade.flags}
          ${lib.optionalString upgrade.allowReboot ''
            booted=$(readlink -f /run/booted-system/kernel /run/booted-system/initrd)
            built=$(readlink -f /nix/var/nix/profiles/system/kernel /nix/var/nix/profiles/system/initrd)
            if [ "$booted" = "$built" ]; then
              ${firn} os ${upgrade.operation} ${lib.optionalString (upgrade.flake != null) "--flake ${lib.escapeShellArg upgrade.flake}"}
            else
              ${
                if upgrade.rebootWindow == null then
                  "shutdown -r +1"
                else
                  ''
                    now=$(date +%H:%M)
                    lower=${upgrade.rebootWindow.lower} upper=${upgrade.rebootWindow.upper}
                    if [[ $lower < $upper ]]; then
                      if [[ ! $now < $lower && $now < $upper ]]; then shutdown -r +1; fi
                    elif [[ ! $now < $lower || $now < $upper ]]; then
                      shutdown -r +1
                    fi
                  ''
              }
            fi
          ''}
        '';
        startAt = upgrade.dates;
      };
      systemd.timers.nixos-upgrade.timerConfig = {
        RandomizedDelaySec = upgrade.randomizedDelaySec;
        Persistent = upgrade.persistent;
      };
      assertions = [
        {
          assertion = config.programs.firn.enable;
          message = "system.autoUpgrade needs Firn in the system: set programs.firn.enable";
        }
      ];
    })
    (lib.mkIf gc.automatic {
      systemd.services.nix-gc = {
        description = "Collection of the store's garbage";
        serviceConfig.Type = "oneshot";
        environment.HOME = "/root";
        serviceConfig.ExecStart = "${config.programs.firn.package}/bin/nix-collect-garbage ${gc.options}";
        startAt = gc.dates;
      };
      systemd.timers.nix-gc.timerConfig = {
        RandomizedDelaySec = gc.randomizedDelaySec;
        Persistent = gc.persistent;
      };
      assertions = [
        {
          assertion = config.programs.firn.enable;
          message = "nix.gc.automatic needs Firn in the system: set programs.firn.enable";
        }
      ];
    })
    (lib.mkIf optimise.automatic {
      systemd.services.nix-optimise = {
        description = "Linking of equal files of the store";
        serviceConfig.Type = "oneshot";
        environment.HOME = "/root";
        serviceConfig.ExecStart = "${config.programs.firn.package}/bin/nix-store --optimise";
        startAt = optimise.dates;
      };
    })
  ];
}
