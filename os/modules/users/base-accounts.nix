# Accounts that every system has: Debian's fixed ones, those its units and udev rules name, and nixbld for builds.
{ config, lib, ... }:
let
  system = uid: group: description: {
    inherit uid group description;
    isSystemUser = true;
  };
  gids = {
    root = 0;
    daemon = 1;
    bin = 2;
    sys = 3;
    adm = 4;
    tty = 5;
    disk = 6;
    lp = 7;
    mail = 8;
    man = 12;
    kmem = 15;
    dialout = 20;
    cdrom = 24;
    floppy = 25;
    tape = 26;
    sudo = 27;
    audio = 29;
    www-data = 33;
    shadow = 42;
    utmp = 43;
    video = 44;
    plugdev = 46;
    staff = 50;
    games = 60;
    users = 100;
    nogroup = 65534;
    # No number of Debian's: taken from the end of the system's range, so that every machine has the same.
    systemd-journal = 999;
    systemd-network = 998;
    systemd-resolve = 997;
    systemd-timesync = 996;
    messagebus = 995;
    sshd = 994;
    input = 993;
    kvm = 992;
    render = 991;
    sgx = 990;
    wheel = 300;
    nixbld = 30000;
  };
in
{
  users = {
    groups = lib.mapAttrs (_: gid: { gid = lib.mkDefault gid; }) gids;
    users = {
      root = {
        uid = 0;
        group = "root";
        home = "/root";
        homeMode = "700";
        createHome = true;
        isSystemUser = true;
        useDefaultShell = true;
        description = "System administrator";
      };
      daemon = system 1 "daemon" "daemon";
      bin = system 2 "bin" "bin";
      sys = system 3 "sys" "sys";
      mail = system 8 "mail" "mail";
      www-data = system 33 "www-data" "www-data";
      systemd-network = system 998 "systemd-network" "systemd Network Management";
      systemd-resolve = system 997 "systemd-resolve" "systemd Resolver";
      systemd-timesync = system 996 "systemd-timesync" "systemd Time Synchronization";
      messagebus = system 995 "messagebus" "System Message Bus";
      sshd = system 994 "sshd" "SSH privilege separation";
      nobody = system 65534 "nogroup" "nobody";
    };
  };
}
