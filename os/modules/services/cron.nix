# cron: commands by the clock, in tables.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.cron;
  text =
    "SHELL=/usr/bin/bash\nPATH=/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/bin:/usr/bin:/usr/sbin\n"
    + lib.optionalString (cfg.mailto != null) "MAILTO=\"${cfg.mailto}\"\n"
    + lib.concatMapStrings (job: "${job}\n") cfg.systemCronJobs
    + lib.concatMapStrings builtins.readFile cfg.cronFiles;
in
{
  options.services.cron = {
    enable = mkOption {
      type = types.bool;
      default = cfg.systemCronJobs != [ ] || cfg.cronFiles != [ ];
      defaultText = "whether there are jobs";
      description = "Whether cron runs.";
    };
    mailto = forms.optional types.str "Whom the output of jobs is mailed to.";
    systemCronJobs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "*/5 * * * * alice date >>/home/alice/dates" ];
      description = "Lines of the machine's table: time, user, command.";
    };
    cronFiles = forms.listOf types.path "Files that are added to the table.";
  };

  config = lib.mkIf cfg.enable {
    system.debian.packages = [ "cron" ];
    environment.etc.crontab = {
      inherit text;
      mode = "0600";
    };
    users.groups.crontab = { };
    security.wrappers.crontab = {
      source = "/usr/bin/crontab";
      owner = "root";
      group = "crontab";
      setgid = true;
    };
    # Tables of users.
    systemd.tmpfiles.rules = [
      "d /var/spool/cron 0755 root root - -"
      "d /var/spool/cron/crontabs 1730 root crontab - -"
    ];
    systemd.services.cron = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ (toString config.time.timeZone) ];
    };
  };
}
