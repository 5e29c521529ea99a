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
    packages = mark;
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
  # Stands for what only the files of inputs say.
  mark = "@contents@";
  # A value as JSON in which files stand in place of the marks, in their order.
  jsonWith =
    value: files:
    let
      pieces = lib.splitString (builtins.toJSON mark) (builtins.toJSON value);
    in
    [ (builtins.head pieces) ]
    ++ builtins.concatLists (lib.zipListsWith (file: piece: [ { inherit file; } piece ]) files (builtins.tail pieces));

  out = builtins.placeholder "out";
  withOut = builtins.replaceStrings [ "@out@" ] [ out ];
  executable = text: {
    inherit text;
    mode = "755";
  };
  hasKernel = config.boot.kernel.enable;
  initrd = "${config.system.build.initialRamdisk}/initrd";
  bootspec = {
    "org.nixos.bootspec.v1" = {
      inherit (pkgs) system;
      init = "${out}/init";
      kernel = "${config.system.build.kernel}/kernel";
      kernelParams = config.boot.kernelParams;
      label = facts.label;
      toplevel = out;
    }
    // lib.optionalAttrs config.boot.initrd.enable { inherit initrd; };
    "org.nixos.specialisation.v1" = lib.mapAttrs (_: _: mark) startable;
  };
  # Variants with a kernel of their own: what they start is what their own files say.
  startable = lib.filterAttrs (_: entry: entry.configuration.boot.kernel.enable) config.specialisation;

  name = "firn-system-${config.system.name}-${config.system.firn.label}";
  files = {
    usr.target = "${config.system.debian.env}/usr";
    sw.target = "${config.system.path}";
    etc.target = "${config.system.build.etc}/etc";
    kernel-params.text = lib.concatStringsSep " " config.boot.kernelParams;
    system.text = pkgs.system;
    firn-version.text = config.system.firn.label;
    init = executable (withOut config.system.build.bootStage2);
    activate = executable (withOut config.system.build.activationScript);
    dry-activate = executable (withOut config.system.build.dryActivationScript);
    "firn-os.json".text = jsonWith facts [ "${config.system.debian.env}/nix-support/packages.json" ];
    # Tools made for NixOS run this program of a system.
    "bin/switch-to-configuration" = executable ''
      #!${pkgs.busybox} sh
      PATH=/run/wrappers/bin:/run/current-system/sw/bin:/usr/bin:/usr/sbin:$PATH
      case ''${1-} in
        switch | boot | test | dry-activate) exec firn os "$1" --store-path "${out}" ;;
        check) exit 0 ;;
        *) echo "Usage: $0 [check|switch|boot|test|dry-activate]" >&2; exit 1 ;;
      esac
    '';
  }
  // lib.optionalAttrs hasKernel (
    {
      kernel.target = "${config.system.build.kernel}/kernel";
      kernel-modules.target = "${config.system.build.kernel}";
      "boot.json".text = jsonWith bootspec (
        lib.mapAttrsToList (_: entry: "${entry.configuration.system.build.toplevel}/boot.json") startable
      );
    }
    // lib.optionalAttrs config.boot.initrd.enable { initrd.target = initrd; }
  )
  // config.system.files;
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
    files = mkOption {
      type = types.attrsOf types.unspecified;
      default = { };
      internal = true;
      description = "Files and links of the system by their place in it, as `pkgs.writeTree` has them.";
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
    # Packages that the lock lacks are told first, without a way on which they were found.
    builtins.seq config.system.debian.env.drvPath (
      if config.system.extraSystemBuilderCmds == "" then
        pkgs.buildTree { inherit name files; }
      else
        pkgs.mkScript (
          {
            inherit name;
            script = ./extend-toplevel.sh;
            tree = pkgs.buildTree {
              name = "${name}-files";
              inherit files;
            };
            extra = config.system.extraSystemBuilderCmds;
            passAsFile = [ "extra" ];
          }
          // config.system.systemBuilderArgs
        )
    )
  );
}
