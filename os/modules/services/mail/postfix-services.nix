# The programs of Postfix that its master starts: master.cf.
{ lib, pkgs }:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  yesOrNo = value: if value then "y" else "n";
  unset = "-";
  entryType = types.submodule (
    { name, config, ... }:
    {
      options = {
        name = forms.str name "Name of the service, or address and port where it listens.";
        type = forms.of (types.enum [ "inet" "unix" "unix-dgram" "fifo" "pass" ]) "unix" "Kind of the socket.";
        private = forms.optional types.bool "Whether only Postfix itself may use it.";
        privileged = forms.optional types.bool "Whether it runs as root.";
        chroot = forms.bool false "Whether it runs in the directory of the queue.";
        wakeup = forms.optional types.int "Seconds after which it is woken.";
        wakeupUnusedComponent = forms.bool true "Whether it is woken also before it was used.";
        maxproc = forms.optional types.int "How many of its processes there may be.";
        command = forms.str name "The program.";
        args = forms.strings "Arguments of the program.";
        rawEntry = mkOption {
          type = types.listOf types.str;
          internal = true;
          description = "The fields of the line.";
        };
      };
      config.rawEntry = [
        config.name
        config.type
        (if config.private == null then unset else yesOrNo config.private)
        (if config.privileged == null then unset else yesOrNo (!config.privileged))
        (yesOrNo config.chroot)
        (if config.wakeup == null then unset else "${toString config.wakeup}${lib.optionalString (!config.wakeupUnusedComponent) "?"}")
        (if config.maxproc == null then unset else toString config.maxproc)
        (lib.concatStringsSep " " ([ config.command ] ++ config.args))
      ];
    }
  );
  inside = private: more: { inherit private; } // more;
in
{
  inherit entryType;
  text = entries: lib.concatMapStrings (entry: lib.concatStringsSep "\t" entry.rawEntry + "\n") (builtins.attrValues entries);
  options = settings: lib.concatLists (lib.mapAttrsToList (name: value: [ "-o" "${name}=${value}" ]) settings);
  # What Postfix cannot be without.
  base = {
    pickup = inside false { maxproc = 1; wakeup = 60; };
    cleanup = inside false { maxproc = 0; };
    qmgr = inside false { maxproc = 1; wakeup = 300; };
    tlsmgr = { maxproc = 1; wakeup = 1000; wakeupUnusedComponent = false; };
    rewrite.command = "trivial-rewrite";
    bounce.maxproc = 0;
    defer = { maxproc = 0; command = "bounce"; };
    trace = { maxproc = 0; command = "bounce"; };
    verify.maxproc = 1;
    flush = inside false { maxproc = 0; wakeup = 1000; wakeupUnusedComponent = false; };
    proxymap = { };
    proxywrite = { maxproc = 1; command = "proxymap"; };
    smtp = { };
    relay = { command = "smtp"; args = [ "-o" "smtp_fallback_relay=" ]; };
    showq = inside false { };
    error = { };
    retry.command = "error";
    discard = { };
    local = { privileged = true; };
    virtual = { privileged = true; };
    lmtp = { };
    anvil.maxproc = 1;
    scache.maxproc = 1;
    postlog = inside false { type = "unix-dgram"; maxproc = 1; command = "postlogd"; };
  };
}
