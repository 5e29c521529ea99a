# Services that an option switches on and that run as Debian's packages have them; the packages have to be in the lock.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  services = {
    acpid = { what = "acpid, which runs programs when keys of power are pressed"; };
    atd = { what = "at, which runs commands later"; package = "at"; };
    fwupd = { what = "fwupd, which renews firmware"; };
    haveged = { what = "haveged, which collects randomness"; };
    irqbalance = { what = "irqbalance, which spreads interrupts over processors"; };
    power-profiles-daemon = { what = "profiles of power"; };
    samba-wsdd = { what = "wsdd, by which Windows finds shares"; package = "wsdd"; unit = "wsdd"; };
    sysstat = { what = "sysstat, which collects figures of the machine"; };
    tailscale = { what = "Tailscale, from its maker's archive"; unit = "tailscaled"; };
    thermald = { what = "thermald, which keeps the machine cool"; };
    tlp = { what = "TLP, which saves power of laptops"; };
    udisks2 = { what = "udisks, by which users mount disks"; };
    vnstat = { what = "vnStat, which counts what the network carries"; account = "vnstat"; };
  };
  enabled = lib.filterAttrs (name: _: config.services.${name}.enable) services;
  unitOf = name: service: service.unit or name;
  packageOf = name: service: service.package or name;
in
{
  options.services = lib.mapAttrs (name: service: { enable = lib.mkEnableOption service.what; }) services // {
    tailscale = {
      enable = lib.mkEnableOption services.tailscale.what;
      port = forms.port 41641 "UDP port.";
      openFirewall = forms.bool false "Whether the firewall lets its packets in.";
      extraDaemonFlags = forms.strings "Further arguments of the daemon.";
    };
    samba-wsdd = {
      enable = lib.mkEnableOption services.samba-wsdd.what;
      interface = forms.optional types.str "Interface or address that it uses; null is all.";
      hoplimit = forms.optional types.ints.positive "How many networks its packets cross.";
      workgroup = forms.optional types.str "Workgroup of the machine.";
      hostname = forms.optional types.str "Name that is told; null is the machine's.";
      domain = forms.optional types.str "Domain of the machine, in place of a workgroup.";
      extraOptions = forms.of (types.listOf types.str) [ "--shortlog" ] "Further arguments.";
      openFirewall = forms.bool false "Whether the firewall lets in what asks for it.";
    };
    dbus = {
      enable = forms.bool true "Has to be on: systemd's programs use it.";
      packages = forms.packages "Packages whose services are known to the bus; those of Debian's packages in `/usr` are anyway.";
    };
    locate = {
      enable = lib.mkEnableOption "plocate, which finds files by their names";
      package = forms.package "plocate";
      output = forms.str "/var/lib/plocate/plocate.db" "Where the list of files is.";
      extraFlags = forms.strings "Further arguments of updatedb.";
      pruneBindMounts = forms.bool true "Whether places that are mounted twice are listed once.";
      pruneFS = forms.of (types.listOf types.str) [ "afs" "autofs" "binfmt_misc" "cgroup" "cgroup2" "cifs" "debugfs" "devpts" "devtmpfs" "fuse" "fuse.sshfs" "nfs" "nfs4" "overlay" "proc" "securityfs" "smbfs" "squashfs" "sysfs" "tmpfs" ] "Types of file systems that are not listed.";
      pruneNames = forms.of (types.listOf types.str) [ ".bzr" ".cache" ".git" ".hg" ".svn" ] "Names of directories that are not listed.";
      prunePaths = forms.of (types.listOf types.path) [ "/tmp" "/var/tmp" "/var/cache" "/var/lock" "/var/run" "/var/spool" "/nix/store" "/nix/var/log/nix" ] "Directories that are not listed.";
      interval = forms.str "02:15" "When the list of files is made, as a calendar event of systemd.time(7).";
    };
    btrfs.autoScrub = {
      enable = lib.mkEnableOption "checking file systems of Btrfs by the clock";
      interval = forms.str "monthly" "When, as a calendar event of systemd.time(7).";
      fileSystems = lib.mkOption {
        type = lib.types.listOf lib.types.path;
        default = map (entry: entry.mountPoint) (builtins.filter (entry: entry.fsType == "btrfs") (builtins.attrValues config.fileSystems));
        defaultText = "all of Btrfs that are declared";
        description = "Mount points of the file systems.";
      };
    };
  };
  options.systemd = {
    coredump.enable = lib.mkEnableOption "keeping the memory of programs that crash; Debian's package systemd-coredump";
    oomd.enable = lib.mkEnableOption "systemd-oomd, which ends programs before memory is used up; Debian's package of that name";
    enableEmergencyMode = forms.bool true "Whether who is at the console gets a shell when the start fails.";
  };
  config = lib.mkMerge [
    {
      system.debian.packages = lib.mapAttrsToList packageOf enabled;
      # What a script of the package would make.
      users = lib.mkMerge (
        map (
          service:
          lib.optionalAttrs (service ? account) {
            users.${service.account} = {
              group = service.account;
              isSystemUser = true;
              description = service.account;
            };
            groups.${service.account} = { };
          }
        ) (builtins.attrValues enabled)
      );
      systemd.services = lib.mapAttrs' (name: service: lib.nameValuePair (unitOf name service) { wantedBy = [ "multi-user.target" ]; }) enabled;
      assertions = [
        {
          assertion = config.services.dbus.enable;
          message = "services.dbus.enable has to be on: systemd's programs use it";
        }
        {
          assertion = builtins.all (package: package ? deb) config.services.dbus.packages;
          message = "services.dbus.packages takes packages of Debian only";
        }
      ];
      environment.systemPackages = config.services.dbus.packages;
    }
    (lib.mkIf config.services.tailscale.enable {
      environment.etc."default/tailscaled".text = ''
        PORT="${toString config.services.tailscale.port}"
        FLAGS="${lib.concatStringsSep " " config.services.tailscale.extraDaemonFlags}"
      '';
      networking.firewall.allowedUDPPorts = lib.optional config.services.tailscale.openFirewall config.services.tailscale.port;
    })
    (lib.mkIf config.services.samba-wsdd.enable {
      environment.etc."default/wsdd".text =
        let
          cfg = config.services.samba-wsdd;
          word = flag: value: lib.optional (value != null) "${flag} ${lib.escapeShellArg (toString value)}";
        in
        "WSDD_PARAMS=\"${
          lib.concatStringsSep " " (
            word "--interface" cfg.interface
            ++ word "--hoplimit" cfg.hoplimit
            ++ word "--workgroup" cfg.workgroup
            ++ word "--hostname" cfg.hostname
            ++ word "--domain" cfg.domain
            ++ cfg.extraOptions
          )
        }\"\n";
    })
    # Units that do not start without the file of their variables.
    (lib.mkIf config.services.acpid.enable { environment.etc."default/acpid".text = "OPTIONS=\"\"\n"; })
    (lib.mkIf config.services.atd.enable {
      # What a script of the package would make. The programs hand jobs to the account of the daemon.
      systemd.tmpfiles.rules = [
        "d /var/spool/cron/atjobs 1770 daemon daemon - -"
        "d /var/spool/cron/atspool 1770 daemon daemon - -"
        "f /var/spool/cron/atjobs/.SEQ 0600 daemon daemon - -"
      ];
      security.wrappers = lib.genAttrs [ "at" "atq" "atrm" ] (_: {
        source = "/usr/bin/at";
        owner = "daemon";
        group = "daemon";
        setuid = true;
        setgid = true;
      });
    })
    (lib.mkIf (config.services.samba-wsdd.enable && config.services.samba-wsdd.openFirewall) {
      networking.firewall = {
        allowedTCPPorts = [ 5357 ];
        allowedUDPPorts = [ 3702 ];
      };
    })
    (lib.mkIf config.services.locate.enable {
      system.debian.packages = [ config.services.locate.package.deb ];
      users.groups.plocate = { };
      systemd.tmpfiles.rules = [ "d ${builtins.dirOf config.services.locate.output} 0755 root root - -" ];
      # The list tells of files that not everybody may see; the program shows what its user may.
      security.wrappers = lib.genAttrs [ "locate" "plocate" ] (_: {
        source = "/usr/bin/plocate";
        owner = "root";
        group = "plocate";
        setgid = true;
      });
      environment.etc."updatedb.conf".text =
        let
          cfg = config.services.locate;
          words = list: lib.concatMapStringsSep " " toString list;
        in
        ''
          PRUNE_BIND_MOUNTS = "${if cfg.pruneBindMounts then "yes" else "no"}"
          PRUNEFS = "${words cfg.pruneFS}"
          PRUNENAMES = "${words cfg.pruneNames}"
          PRUNEPATHS = "${words cfg.prunePaths}"
        '';
      systemd.services.plocate-updatedb.serviceConfig.ExecStart = [
        ""
        "/usr/sbin/updatedb.plocate --output ${config.services.locate.output} ${lib.escapeShellArgs config.services.locate.extraFlags}"
      ];
      systemd.timers.plocate-updatedb = {
        wantedBy = [ "timers.target" ];
        timerConfig.OnCalendar = [ "" config.services.locate.interval ];
      };
    })
    (lib.mkIf config.services.btrfs.autoScrub.enable {
      system.debian.packages = [ "btrfs-progs" ];
      systemd.services.btrfs-scrub = {
        description = "Check of the file systems of Btrfs";
        startAt = config.services.btrfs.autoScrub.interval;
        serviceConfig = {
          Type = "oneshot";
          Nice = 19;
          IOSchedulingClass = "idle";
        };
        script = lib.concatMapStrings (place: "btrfs scrub start -B ${lib.escapeShellArg (toString place)}\n") config.services.btrfs.autoScrub.fileSystems;
      };
    })
    {
      system.debian.packages =
        lib.optional config.systemd.coredump.enable "systemd-coredump" ++ lib.optional config.systemd.oomd.enable "systemd-oomd";
      systemd.services = lib.mkIf config.systemd.oomd.enable { systemd-oomd.wantedBy = [ "multi-user.target" ]; };
      systemd.units = lib.mkIf (!config.systemd.enableEmergencyMode) {
        "emergency.target".enable = false;
        "emergency.service".enable = false;
      };
    }
  ];
}
