# chrony: sets the clock by servers of the network, and may tell others the time.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.chrony;
  text = ''
    ${lib.concatMapStrings (server: "server ${server} ${cfg.serverOption}${lib.optionalString cfg.enableNTS " nts"}\n") cfg.servers}
    ${lib.optionalString (cfg.initstepslew.enabled && cfg.servers != [ ]) "initstepslew ${toString cfg.initstepslew.threshold} ${lib.concatStringsSep " " cfg.servers}"}
    ${lib.optionalString cfg.makestep.enable "makestep ${toString cfg.makestep.threshold} ${toString cfg.makestep.limit}"}
    driftfile ${cfg.directory}/chrony.drift
    keyfile ${cfg.directory}/chrony.keys
    ntsdumpdir ${cfg.directory}
    ${lib.optionalString (!cfg.enableRTCTrimming) "rtconutc\nrtcfile ${cfg.directory}/chrony.rtc"}
    ${lib.optionalString cfg.enableRTCTrimming "rtcsync"}
    ${lib.optionalString cfg.enableMemoryLocking "lock_all"}
    ${cfg.extraConfig}
  '';
in
{
  options.services.chrony = {
    enable = lib.mkEnableOption "chrony, which sets the clock";
    package = forms.package "chrony";
    servers = mkOption {
      type = types.listOf types.str;
      default = config.networking.timeServers;
      defaultText = lib.literalExpression "config.networking.timeServers";
      description = "Servers of the time.";
    };
    serverOption = forms.of (types.enum [ "iburst" "offline" ]) "iburst" "Whether servers are asked at once (`iburst`) or when they are said to be there (`offline`).";
    enableNTS = forms.bool false "Whether servers have to prove themselves.";
    enableMemoryLocking = forms.bool false "Whether it stays in memory.";
    enableRTCTrimming = forms.bool true "Whether the kernel sets the clock that runs without power.";
    initstepslew = {
      enabled = forms.bool false "Whether the clock is set at once at the start where it is far off.";
      threshold = forms.of (types.either types.float types.int) 1000 "Seconds from which on that is so.";
    };
    makestep = {
      enable = forms.bool false "Whether the clock is set at once where it is far off.";
      threshold = forms.of (types.either types.float types.int) 1 "Seconds from which on that is so.";
      limit = forms.int 3 "How many times after the start; a negative number is always.";
    };
    directory = forms.str "/var/lib/chrony" "Where it keeps how the clock drifts.";
    extraConfig = forms.lines "Text added to chrony.conf.";
    extraFlags = forms.strings "Further arguments.";
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    services.timesyncd.enable = lib.mkForce false;
    users.users._chrony = {
      group = "_chrony";
      isSystemUser = true;
      home = cfg.directory;
      description = "chrony";
    };
    users.groups._chrony = { };
    environment.etc = {
      "chrony/chrony.conf".text = text;
      "default/chrony".text = "DAEMON_OPTS=\"-F 1 ${lib.concatStringsSep " " cfg.extraFlags}\"\n";
    };
    systemd.tmpfiles.rules = [
      "d ${cfg.directory} 0750 _chrony _chrony - -"
      "f ${cfg.directory}/chrony.keys 0640 root _chrony - -"
    ];
    systemd.services.chrony = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ text ];
    };
  };
}
