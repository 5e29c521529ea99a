# The system as one store path.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  failed = map (entry: entry.message) (builtins.filter (entry: !entry.assertion) config.assertions);
  checked =
    result:
    if failed != [ ] then
      throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}"
    else
      builtins.foldl' (value: warning: builtins.trace "warning: ${warning}" value) result config.warnings;

  loader = config.boot.loader;
  normal = lib.filterAttrs (_: user: user.enable) config.users.users;
  facts = {
    format = 1;
    name = config.networking.hostName;
    label = "Firn OS ${config.system.firn.label} (Linux ${config.boot.kernelPackage.kernelRelease})";
    # The builder puts them in.
    packages = "@packages@";
    users = lib.mapAttrs (_: user: {
      inherit (user)
        uid
        group
        home
        isNormalUser
        ;
      groups = user.extraGroups;
    }) normal;
    groups = lib.mapAttrs (_: group: { inherit (group) gid; }) config.users.groups;
    boot = {
      loader = if loader.systemd-boot.enable then "systemd-boot" else if loader.grub.enable then "grub" else "none";
      inherit (loader.efi) efiSysMountPoint;
      inherit (loader.systemd-boot) editor;
      inherit (if loader.grub.enable then loader.grub else loader.systemd-boot) configurationLimit;
      inherit (loader) timeout;
      bootCountingTries =
        if loader.systemd-boot.bootCounting.enable && !loader.grub.enable then loader.systemd-boot.bootCounting.tries else 0;
    }
    // lib.optionalAttrs loader.grub.enable { grub = { inherit (loader.grub) devices extraConfig extraEntries place; }; }
    // lib.optionalAttrs (config.boot.initrd.secrets != { }) {
      secrets = lib.mapAttrs (place: source: if source == null then place else toString source) config.boot.initrd.secrets;
    }
    // lib.optionalAttrs (loader.systemd-boot.consoleMode != "keep") { inherit (loader.systemd-boot) consoleMode; };
    health = { inherit (config.system.healthCheck) timeout units network; };
    inherit (config.system.switch) inhibitors;
  };
  bootspec = {
    "org.nixos.bootspec.v1" = {
      inherit (pkgs) system;
      init = "@out@/init";
      kernel = "@kernel@";
      kernelParams = config.boot.kernelParams;
      label = facts.label;
      toplevel = "@out@";
    }
    // lib.optionalAttrs config.boot.initrd.enable { initrd = "@initrd@"; };
    "org.nixos.specialisation.v1" = { };
  };
in
{
  options.system = {
    switch.inhibitors = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        kernel-interface = "2";
      };
      description = "Texts by name that keep `firn os switch` and `test` from replacing a running system whose text of that name is another: the machine is then to be started anew (`firn os boot`). With `NIXOS_NO_CHECK=1` it is switched all the same.";
    };
    extraSystemBuilderCmds = mkOption {
      type = types.lines;
      default = "";
      internal = true;
      description = "Shell text added to the builder of the system; `$out` is the system.";
    };
    systemBuilderArgs = mkOption {
      type = types.attrsOf types.unspecified;
      default = { };
      internal = true;
      description = "Attributes added to the derivation of the system.";
    };
  };

  config.system.build.toplevel = checked (
    pkgs.mkScript (
      {
        name = "firn-system-${config.system.name}-${config.system.firn.label}";
        script = ./build-toplevel.sh;
        inherit (pkgs) system;
        inherit (config.system.build) etc;
        inherit (config.system.debian) env;
        sw = config.system.path;
        kernel = lib.optionalString config.boot.kernel.enable "${config.system.build.kernel}";
        initrd = lib.optionalString (config.boot.kernel.enable && config.boot.initrd.enable) "${config.system.build.initialRamdisk}";
        kernelParams = lib.concatStringsSep " " config.boot.kernelParams;
        firnVersion = config.system.firn.label;
        init = config.system.build.bootStage2;
        activate = config.system.build.activationScript;
        dryActivate = config.system.build.dryActivationScript;
        facts = builtins.toJSON facts;
        bootspec = builtins.toJSON bootspec;
        extra = config.system.extraSystemBuilderCmds;
        passAsFile = [
          "init"
          "activate"
          "dryActivate"
          "facts"
          "bootspec"
          "extra"
        ];
      }
      // config.system.systemBuilderArgs
    )
  );
}
