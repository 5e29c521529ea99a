# smartd: watches disks and tells when one is about to fail.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.smartd;
  notify = cfg.notifications;
  mail = notify.mail;
  message = lib.concatStringsSep "\n" (
    [ "#!/usr/bin/sh" ]
    ++ lib.optional mail.enable ''
      {
        printf 'From: %s\nTo: %s\nSubject: %s\n\n%s\n' ${lib.escapeShellArg mail.sender} ${lib.escapeShellArg mail.recipient} "$SMARTD_SUBJECT" "$SMARTD_FULLMESSAGE"
        /usr/sbin/smartctl -a -d "$SMARTD_DEVICETYPE" "$SMARTD_DEVICE"
      } | ${mail.mailer} -i ${lib.escapeShellArg mail.recipient}''
    ++ lib.optional notify.wall.enable ''printf '%s\n' "Problem of a disk: $SMARTD_MESSAGE" | /usr/bin/wall''
    ++ lib.optional notify.systembus-notify.enable ''/usr/bin/dbus-send --system / net.nuetzlich.SystemNotifications.Notify string:"Problem of a disk: $SMARTD_MESSAGE"''
  );
  script = pkgs.writeTextFile {
    name = "smartd-notify";
    text = "${message}\n";
    executable = true;
  };
  tells = mail.enable || notify.wall.enable || notify.systembus-notify.enable;
  options = " ${lib.optionalString tells "-m <nomailer> -M exec ${script} "}${lib.optionalString notify.test "-M test "}";
  text = ''
    ${lib.optionalString notify.test "# tells at the start"}
    DEFAULT ${options}${cfg.defaults.monitored}
    ${lib.concatMapStrings (entry: "${entry.device} ${entry.options}\n") cfg.devices}
    ${lib.optionalString cfg.autodetect "DEVICESCAN ${options}${cfg.defaults.autodetected}"}
  '';
in
{
  options.services.smartd = {
    enable = lib.mkEnableOption "smartd, which watches disks";
    autodetect = forms.bool true "Whether all disks that are there are watched.";
    extraOptions = forms.strings "Further arguments.";
    defaults = {
      monitored = mkOption {
        type = types.separatedString " ";
        default = "-a";
        example = "-a -o on -s (S/../.././02|L/../../7/04)";
        description = "What is watched of the devices that are named; see smartd.conf(5).";
      };
      autodetected = mkOption {
        type = types.separatedString " ";
        default = cfg.defaults.monitored;
        defaultText = lib.literalExpression "config.services.smartd.defaults.monitored";
        description = "What is watched of those that are found.";
      };
    };
    devices = mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            device = forms.required types.str "The disk.";
            options = mkOption {
              type = types.separatedString " ";
              default = "";
              example = "-d sat";
              description = "What is watched besides.";
            };
          };
        }
      );
      default = [ ];
      example = [ { device = "/dev/sda"; } ];
      description = "Disks by name.";
    };
    notifications = {
      test = forms.bool false "Whether it tells something at each start.";
      mail = {
        enable = forms.bool false "Whether mail is sent.";
        sender = forms.str "root" "Who sends it.";
        recipient = forms.str "root" "Who gets it.";
        mailer = forms.str "/run/wrappers/bin/sendmail" "The program that sends it.";
      };
      wall.enable = forms.bool true "Whether all who are logged in are told.";
      systembus-notify.enable = forms.bool false "Whether it is told on the bus of the system.";
    };
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "smartmontools" ];
    environment.etc = {
      "smartd.conf".text = text;
      "default/smartmontools".text = "smartd_opts=\"${lib.concatStringsSep " " cfg.extraOptions}\"\n";
    };
    systemd.services.smartmontools = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ text ];
    };
    assertions = [
      {
        assertion = cfg.autodetect || cfg.devices != [ ];
        message = "services.smartd: no disk is watched; name some in 'devices'";
      }
    ];
  };
}
