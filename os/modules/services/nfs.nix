# NFS: directories that other machines mount.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.nfs;
  server = cfg.server;
  atom = types.nullOr (types.oneOf [ types.bool types.int types.float types.str ]);
  ini = types.attrsOf (types.attrsOf (types.either atom (types.listOf atom)));
  value = content: if builtins.isBool content then lib.boolToString content else toString content;
  iniText =
    sections:
    lib.concatStrings (
      lib.mapAttrsToList (
        name: keys:
        "[${name}]\n"
        + lib.concatStrings (
          lib.mapAttrsToList (
            key: content:
            lib.concatMapStrings (one: "${key}=${value one}\n") (builtins.filter (one: one != null) (lib.toList content))
          ) keys
        )
      ) sections
    );
  ofOptions = lib.filterAttrs (_: keys: keys != { }) {
    general.pipefs-directory = "/run/rpc_pipefs";
    nfsd = {
      threads = server.nproc;
    }
    // lib.optionalAttrs (server.hostName != null) { host = server.hostName; };
    mountd = lib.optionalAttrs (server.mountdPort != null) { port = server.mountdPort; };
    statd = lib.optionalAttrs (server.statdPort != null) { port = server.statdPort; };
    lockd = lib.optionalAttrs (server.lockdPort != null) {
      port = server.lockdPort;
      udp-port = server.lockdPort;
    };
  };
  nfsText =
    iniText (lib.recursiveUpdate ofOptions cfg.settings)
    + lib.optionalString (server.extraNfsdConfig != "") "[nfsd]\n${server.extraNfsdConfig}\n"
    + cfg.extraConfig;
  idmapText = iniText cfg.idmapd.settings;
  mounts = builtins.any (system: lib.hasPrefix "nfs" system.fsType) (builtins.attrValues config.fileSystems);
in
{
  options.services.nfs = {
    settings = mkOption {
      type = ini;
      default = { };
      example = {
        mountd.manage-gids = true;
      };
      description = "Settings of nfs.conf(5) by section.";
    };
    extraConfig = forms.lines "Text added to nfs.conf.";
    idmapd.settings = forms.of ini { } "Settings of idmapd.conf(5) by section: which names users have on other machines.";
    server = {
      enable = lib.mkEnableOption "the server of NFS";
      exports = mkOption {
        type = types.lines;
        default = "";
        example = "/srv/share 192.168.1.0/24(rw)";
        description = "What is shared with whom; see exports(5).";
      };
      hostName = forms.optional types.str "Name or address on which it answers; null is all.";
      nproc = forms.int 8 "Threads of the server.";
      createMountPoints = forms.bool false "Whether directories that are shared are made.";
      mountdPort = forms.optional types.port "Port of mountd; null takes a free one.";
      lockdPort = forms.optional types.port "Port of lockd; null takes a free one.";
      statdPort = forms.optional types.port "Port of statd; null takes a free one.";
      extraNfsdConfig = forms.str "" "Text added to the section `nfsd` of nfs.conf.";
    };
  };
  options.services.rpcbind.enable = lib.mkEnableOption "rpcbind, which tells at which ports programs of RPC are";

  config = lib.mkMerge [
    (lib.mkIf config.services.rpcbind.enable {
      system.debian.packages = [ "rpcbind" ];
      users.users._rpc = {
        group = "nogroup";
        isSystemUser = true;
        home = "/run/rpcbind";
        description = "rpcbind";
      };
      systemd.sockets.rpcbind.wantedBy = [ "sockets.target" ];
      systemd.services.rpcbind.wantedBy = [ "multi-user.target" ];
      systemd.tmpfiles.rules = [ "d /run/rpcbind 0755 _rpc root - -" ];
    })
    (lib.mkIf (server.enable || mounts) {
      services.rpcbind.enable = true;
      services.nfs.idmapd.settings = {
        General.Pipefs-Directory = lib.mkDefault "/run/rpc_pipefs";
        General.Domain = lib.mkIf (config.networking.domain != null) (lib.mkDefault config.networking.domain);
        Mapping.Nobody-User = lib.mkDefault "nobody";
        Mapping.Nobody-Group = lib.mkDefault "nogroup";
        Translation.Method = lib.mkDefault "nsswitch";
      };
      system.debian.packages = [ "nfs-common" "keyutils" ];
      boot.kernelModules = [ "nfs" ];
      users.users.statd = {
        group = "nogroup";
        isSystemUser = true;
        home = "/var/lib/nfs";
        description = "NFS";
      };
      environment.etc."nfs.conf".text = nfsText;
      environment.etc."idmapd.conf".text = idmapText;
      systemd.tmpfiles.rules = [
        "d /var/lib/nfs 0755 statd nogroup - -"
        "d /var/lib/nfs/sm 0700 statd nogroup - -"
        "d /var/lib/nfs/sm.bak 0700 statd nogroup - -"
        "f /var/lib/nfs/state 0600 statd nogroup - -"
        "d /var/lib/nfs/v4recovery 0755 root root - -"
        # Programs that keep what the server knows of its clients, and that may not write beside it.
        "d /var/lib/nfs/nfsdcld 0700 root root - -"
        "d /var/lib/nfs/nfsdcltrack 0700 root root - -"
        "f /var/lib/nfs/etab 0644 root root - -"
        "f /var/lib/nfs/rmtab 0644 root root - -"
      ];
      systemd.targets.nfs-client.wantedBy = [ "multi-user.target" "remote-fs.target" ];
      systemd.services = {
        nfs-idmapd.restartTriggers = [ idmapText ];
        rpc-statd.restartTriggers = [ nfsText ];
      };
      assertions = [
        {
          assertion = cfg.settings != { } -> cfg.extraConfig == "" && server.extraNfsdConfig == "";
          message = "services.nfs.settings cannot be used together with 'extraConfig' and 'server.extraNfsdConfig'";
        }
      ];
    })
    (lib.mkIf server.enable {
      system.debian.packages = [ "nfs-kernel-server" ];
      boot.kernelModules = [ "nfsd" ];
      environment.etc.exports.text = server.exports;
      systemd.services.nfs-server = {
        wantedBy = [ "multi-user.target" ];
        restartTriggers = [ nfsText ];
        reloadTriggers = [ server.exports ];
      };
      systemd.services.nfs-mountd = {
        restartTriggers = [ nfsText server.exports ];
        preStart = lib.optionalString server.createMountPoints ''
          sed '/^#/d;/^[[:space:]]*$/d;s/^"\([^"]*\)".*/\1/;t;s/[[:space:]].*//' /etc/exports | while read -r directory || [ -n "$directory" ]; do mkdir -p "$directory"; done
        '';
      };
    })
  ];
}
