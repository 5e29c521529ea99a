# Files of a household: Samba as it is written since 24.11, NFS with bound directories, people and groups, quotas of none.
{ lib, pkgs, ... }:
{
  networking.hostName = "nas";
  networking.firewall = {
    enable = true;
    allowPing = true;
    extraCommands = "";
    interfaces."lan0".allowedTCPPorts = [ 2049 ];
  };

  users.groups.family.gid = 3000;
  users.users = {
    anna = {
      isNormalUser = true;
      uid = 1001;
      extraGroups = [ "family" ];
    };
    ben = {
      isNormalUser = true;
      uid = 1002;
      extraGroups = [ "family" ];
    };
    guest = {
      isSystemUser = true;
      group = "nogroup";
      shell = pkgs.shadow;
    };
  };

  systemd.tmpfiles.rules = [
    "d /srv/family 2770 root family - -"
    "d /srv/media 0755 anna family - -"
    "d /srv/scratch 1777 root root 10d -"
    "Z /srv/media 0755 anna family - -"
  ];
  systemd.tmpfiles.settings."20-nas"."/srv/private/anna".d = {
    mode = "0700";
    user = "anna";
    group = "users";
  };

  fileSystems."/export/media" = {
    device = "/srv/media";
    options = [
      "bind"
      "ro"
    ];
  };

  services.samba = {
    enable = true;
    openFirewall = true;
    nmbd.enable = false;
    winbindd.enable = false;
    settings = {
      global = {
        "workgroup" = "HOME";
        "server string" = "files of the house";
        "netbios name" = "nas";
        "security" = "user";
        "hosts allow" = "192.168.0. 127.0.0.1 localhost";
        "hosts deny" = "0.0.0.0/0";
        "guest account" = "nobody";
        "map to guest" = "bad user";
        "server min protocol" = "SMB3";
      };
      public = {
        "path" = "/srv/media";
        "browseable" = "yes";
        "read only" = "yes";
        "guest ok" = "yes";
      };
      family = {
        "path" = "/srv/family";
        "browseable" = "yes";
        "read only" = "no";
        "guest ok" = "no";
        "create mask" = "0660";
        "directory mask" = "2770";
        "force group" = "family";
        "valid users" = "@family";
      };
      homes = {
        "browseable" = "no";
        "read only" = "no";
      };
    };
  };
  services.samba-wsdd = {
    enable = true;
    openFirewall = true;
  };
  services.avahi = {
    enable = true;
    publish.enable = true;
    publish.userServices = true;
    nssmdns4 = true;
    extraServiceFiles.timemachine = ''
      <?xml version="1.0" standalone='no'?>
      <!DOCTYPE service-group SYSTEM "avahi-service.dtd">
      <service-group>
        <name replace-wildcards="yes">%h</name>
        <service>
          <type>_adisk._tcp</type>
          <port>9</port>
          <txt-record>dk0=adVN=family,adVF=0x82</txt-record>
        </service>
      </service-group>
    '';
  };

  services.nfs.server = {
    enable = true;
    lockdPort = 4001;
    mountdPort = 4002;
    statdPort = 4000;
    exports = ''
      /export         192.168.0.0/24(rw,fsid=0,no_subtree_check)
      /export/media   192.168.0.0/24(ro,nohide,insecure,no_subtree_check)
    '';
  };

  services.rsyncd = {
    enable = true;
    settings = {
      globalSection."use chroot" = false;
      sections.media = {
        path = "/srv/media";
        "read only" = true;
        comment = "media";
      };
    };
  };

  services.openssh = {
    enable = true;
    extraConfig = ''
      Match Group family
        ChrootDirectory /srv
        ForceCommand internal-sftp
        AllowTcpForwarding no
    '';
  };
  services.smartd.enable = false;
  services.fstrim.enable = lib.mkDefault true;
  environment.systemPackages = with pkgs; [
    samba
    rsync
    acl
  ];
  system.stateVersion = "24.05";
}
