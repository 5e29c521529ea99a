# Options of NixOS for which one value is right here. Another one is accepted, and said to have no effect.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  off = why: { type = types.bool; value = false; inherit why; };
  on = why: { type = types.bool; value = true; inherit why; };
  none = why: { type = types.listOf types.anything; value = [ ]; inherit why; };
  given = type: value: why: { inherit type value why; };
  ours = {
    boot.initrd.systemd.enable = off "the first stage is a script";
    boot.initrd.verbose = on "the first stage tells only what goes wrong";
    boot.plymouth.enable = off "no picture is shown at the start";
    boot.binfmt.emulatedSystems = none "programs of other processors are not run";
    boot.loader.systemd-boot.memtest86.enable = off "there is no entry of that name";
    boot.loader.systemd-boot.graceful = off "the loader is written as files";
    console.earlySetup = off "the keyboard is set up after the first stage";
    console.useXkbConfig = off "the layout is that of console.keyMap";
    console.colors = none "the colours are the kernel's";
    documentation.nixos.enable = off "there is no manual of NixOS";
    documentation.dev.enable = off "what Debian's packages for developers have comes with them";
    documentation.man.generateCaches = off "apropos looks nowhere";
    environment.memoryAllocator.provider = given types.str "libc" "programs use that of libc";
    environment.binsh = given types.path "/bin/sh" "/bin/sh is Debian's";
    environment.wordlist.enable = off "no list of words is linked";
    fonts.fontDir.enable = off "there is no X server whose fonts lie in one directory";
    hardware.graphics.enable32Bit = off "there are no libraries for 32 bits";
    i18n.inputMethod.enable = off "no method of input is started";
    networking.dhcpcd.enable = off "systemd-networkd asks for addresses";
    networking.resolvconf.enable = off "resolv.conf is systemd-resolved's";
    networking.useHostResolvConf = off "a container has its own resolv.conf";
    networking.tempAddresses = given types.str "disabled" "addresses are those of systemd.network";
    nix.channel.enable = off "there are no channels";
    nix.checkConfig = on "nix.conf is not read when the system is built";
    nix.daemonCPUSchedPolicy = given types.str "other" "there is no daemon";
    nix.daemonIOSchedClass = given types.str "best-effort" "there is no daemon";
    nix.nrBuildUsers = given types.int 0 "each build has a user namespace of its own";
    nix.sshServe.enable = off "who may log in is served by `nix-store --serve`";
    programs.bash.blesh.enable = off "Debian has no ble.sh";
    programs.bash.undistractMe.enable = off "Debian 12 has no undistract-me";
    programs.command-not-found.enable = off "there is no list of commands";
    programs.fish.useBabelfish = off "variables are taken over from bash";
    programs.fish.generateCompletions = off "completions are those that packages have";
    programs.zsh.vteIntegration = off "terminals are told nothing";
    programs.zsh.ohMyZsh.enable = off "Debian has no Oh My Zsh";
    programs.zsh.ohMyZsh.plugins = none "Debian has no Oh My Zsh";
    programs.zsh.ohMyZsh.theme = given types.str "" "Debian has no Oh My Zsh";
    programs.zsh.ohMyZsh.custom = given (types.nullOr types.str) null "Debian has no Oh My Zsh";
    programs.direnv.nix-direnv.enable = on "`use flake` is that of direnv itself, which keeps nothing";
    programs.zsh.zsh-autoenv.enable = off "Debian has no zsh-autoenv";
    programs.tmux.withUtempter = off "the program that lists windows among who is logged in is setgid at a fixed place";
    programs.nix-ld.enable = on "/lib64 has the linker that programs ask for";
    programs.starship.enable = off "Debian 12 has no Starship";
    security.apparmor.enable = off "no profiles are loaded";
    security.doas.enable = off "sudo is what users become others with";
    security.pam.sshAgentAuth.enable = off "sudo asks for passwords";
    services.userborn.enable = off "accounts are made by the activation";
    services.xserver.enable = off "there is no X server; programs.sway.enable is a desktop";
    services.flatpak.enable = off "there is no Flatpak";
    services.gvfs.enable = off "there is no GVfs";
    services.zfs.autoScrub.enable = off "there is no ZFS";
    system.copySystemConfiguration = off "each generation keeps its source: `firn os source`";
    system.rebuild.enableNg = on "`firn os` switches";
    system.switch.enable = on "systems can always be switched";
    virtualisation.libvirtd.enable = off "there is no libvirt";
  };
  leaves = lib.collect (leaf: leaf ? why) (lib.mapAttrsRecursiveCond (leaf: !(leaf ? why)) (path: leaf: leaf // { inherit path; }) ours);
  valueAt = path: lib.getAttrFromPath path config;
in
{
  options = lib.mapAttrsRecursiveCond (leaf: !(leaf ? why)) (_: leaf: forms.of leaf.type leaf.value "Has no effect: ${leaf.why}.") ours // {
    location = {
      provider = forms.str "manual" "Who tells where the machine is.";
      latitude = forms.optional types.float "Where the machine is; modules of one's own may use it.";
      longitude = forms.optional types.float "Where the machine is; modules of one's own may use it.";
    };
  };
  config.warnings = lib.concatMap (
    leaf:
    lib.optional (valueAt leaf.path != leaf.value) "this setting has no effect: ${lib.showOption leaf.path}: ${leaf.why}"
  ) leaves;
}
