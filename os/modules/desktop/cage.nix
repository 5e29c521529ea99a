# Cage: one program that has the whole screen.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.cage;
in
{
  options.services.cage = {
    enable = lib.mkEnableOption "Cage, which gives one program the whole screen";
    package = forms.package "cage";
    user = forms.str "demo" "The account that uses it.";
    program = forms.path "/usr/bin/foot" "The program, with its arguments.";
    extraArguments = forms.strings "Arguments of Cage.";
    environment = forms.of (types.attrsOf types.str) { } "Variables of the program.";
  };
  config = lib.mkIf cfg.enable {
    # Debian's Cage ends when it has no server for X11.
    system.debian.packages = [ cfg.package.deb "xkb-data" "xwayland" ] ++ lib.optional (cfg.program == "/usr/bin/foot") "foot";
    hardware.graphics.enable = lib.mkDefault true;
    fonts.enableDefaultPackages = lib.mkDefault true;
    security.polkit.enable = true;
    security.pam.services.cage.text = ''
      auth    required pam_unix.so nullok
      account required pam_unix.so
      session required pam_unix.so
      session required pam_env.so
      session required pam_systemd.so
    '';
    systemd.defaultUnit = lib.mkDefault "graphical.target";
    systemd.services."cage-tty1" = {
      description = "Cage";
      documentation = [ "man:cage(1)" ];
      wantedBy = [ "graphical.target" ];
      wants = [ "dbus.socket" "systemd-logind.service" ];
      after = [ "systemd-user-sessions.service" "systemd-logind.service" "getty@tty1.service" ];
      before = [ "graphical.target" ];
      conflicts = [ "getty@tty1.service" ];
      restartIfChanged = false;
      unitConfig.ConditionPathExists = "/dev/tty1";
      inherit (cfg) environment;
      serviceConfig = {
        ExecStart = "/usr/bin/cage ${lib.escapeShellArgs cfg.extraArguments} -- ${cfg.program}";
        User = cfg.user;
        IgnoreSIGPIPE = false;
        UtmpIdentifier = "%n";
        UtmpMode = "user";
        TTYPath = "/dev/tty1";
        TTYReset = true;
        TTYVHangup = true;
        TTYVTDisallocate = true;
        StandardInput = "tty-fail";
        StandardOutput = "journal";
        StandardError = "journal";
        # A session of the seat, by which the screen is had.
        PAMName = "cage";
      };
    };
  };
}
