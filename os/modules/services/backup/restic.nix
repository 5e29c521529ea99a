# Backups by restic: encrypted, each only what changed, to a directory, a server or a cloud.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.restic.backups;
  words = types.attrsOf (types.either types.str types.bool);
  rcloneValue = value: if builtins.isBool value then lib.boolToString value else value;
  capitals = name: lib.toUpper (lib.replaceStrings [ "-" ] [ "_" ] name);

  backup = types.submodule (
    { config, ... }:
    {
      options = {
        package = forms.package "restic";
        repository = mkOption {
          type = types.nullOr types.str;
          default = null;
          example = "sftp:backup@192.168.1.100:/backups/home";
          description = "Where the backups go.";
        };
        repositoryFile = forms.optional types.path "File that says where the backups go.";
        passwordFile = mkOption {
          type = types.nullOr types.str;
          default = null;
          example = "/etc/restic-password";
          description = "File with the password of the repository, outside the store.";
        };
        environmentFile = forms.optional types.str "File with variables, such as what a cloud asks for.";
        rcloneOptions = forms.optional words "Options of rclone, without the dashes.";
        rcloneConfig = forms.optional words "Settings of the remote of rclone. All can read them in the store.";
        rcloneConfigFile = forms.optional types.path "File with the configuration of rclone.";
        inhibitsSleep = forms.bool false "Whether the machine stays awake meanwhile.";
        paths = mkOption {
          type = types.nullOr (types.listOf types.str);
          default = [ ];
          example = [ "/home" "/var/lib/postgresql" ];
          description = "What is kept.";
        };
        command = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "sudo" "-u" "postgres" "pg_dumpall" ];
          description = "A command whose output is kept; nothing is when it fails.";
        };
        exclude = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "/home/*/.cache" ];
          description = "Patterns of what is not kept.";
        };
        timerConfig = mkOption {
          type = types.nullOr (types.attrsOf (types.oneOf [ types.str types.bool types.int (types.listOf types.str) ]));
          default = {
            OnCalendar = "daily";
            Persistent = true;
          };
          description = "When it is done, as in systemd.timer(5); null is only when its service is started by hand.";
        };
        user = forms.str "root" "The account as which it is done.";
        extraBackupArgs = forms.strings "Further arguments of `restic backup`.";
        extraOptions = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "sftp.command='ssh backup@host -i /root/key -s sftp'" ];
          description = "Values of restic's option `-o`.";
        };
        initialize = forms.bool false "Whether the repository is made when there is none.";
        pruneOpts = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "--keep-daily 7" "--keep-weekly 5" ];
          description = "Which backups stay: arguments of `restic forget --prune`, run after the backup.";
        };
        runCheck = mkOption {
          type = types.bool;
          default = config.checkOpts != [ ];
          defaultText = lib.literalExpression "config.checkOpts != [ ]";
          description = "Whether the repository is checked afterwards.";
        };
        checkOpts = forms.strings "Arguments of `restic check`.";
        dynamicFilesFrom = mkOption {
          type = types.nullOr types.str;
          default = null;
          example = "find /home/alice/git -type d -name .git";
          description = "Shell text that prints what is kept besides the paths.";
        };
        backupPrepareCommand = forms.optional types.str "Shell text run before.";
        backupCleanupCommand = forms.optional types.str "Shell text run afterwards, also when the backup failed.";
        createWrapper = forms.bool true "Whether there is a program, `restic-` and the name, that works on this repository.";
        progressFps = forms.optional types.numbers.nonnegative "How often a second progress is told.";
      };
    }
  );

  unit = name: "restic-backups-${name}";
  restic = backup: "/usr/bin/restic${lib.concatMapStrings (option: " -o ${option}") backup.extraOptions}";
  hasFiles = backup: backup.dynamicFilesFrom != null || (backup.paths != null && backup.paths != [ ]);
  environment =
    name: backup:
    lib.filterAttrs (_: value: value != null) {
      RESTIC_CACHE_DIR = "/var/cache/${unit name}";
      RESTIC_PASSWORD_FILE = backup.passwordFile;
      RESTIC_REPOSITORY = backup.repository;
      RESTIC_REPOSITORY_FILE = if backup.repositoryFile == null then null else toString backup.repositoryFile;
      RCLONE_CONFIG = if backup.rcloneConfigFile == null then null else toString backup.rcloneConfigFile;
      RESTIC_PROGRESS_FPS = if backup.progressFps == null then null else toString backup.progressFps;
    }
    // lib.optionalAttrs (backup.rcloneOptions != null) (
      lib.mapAttrs' (option: value: lib.nameValuePair "RCLONE_${capitals option}" (rcloneValue value)) backup.rcloneOptions
    )
    // lib.optionalAttrs (backup.rcloneConfig != null) (
      let
        remote = builtins.elemAt (lib.splitString ":" backup.repository) 1;
      in
      lib.mapAttrs' (option: value: lib.nameValuePair "RCLONE_CONFIG_${capitals remote}_${capitals option}" (rcloneValue value)) backup.rcloneConfig
    );

  script =
    name: backup:
    let
      program = restic backup;
      list = "/run/${unit name}/includes";
      excluded = lib.optionalString (
        backup.exclude != [ ]
      ) " --exclude-file=${pkgs.writeText "exclude-patterns" (lib.concatMapStrings (pattern: "${pattern}\n") backup.exclude)}";
      arguments = lib.concatMapStrings (argument: " ${argument}") backup.extraBackupArgs;
    in
    lib.optionalString (hasFiles backup) "${program} backup${arguments}${excluded} --files-from=${list}\n"
    + lib.optionalString (backup.command != [ ]) ''
      # restic keeps whatever ends: a command that fails must not let it come to an end.
      pipe=/run/${unit name}/pipe
      mkfifo -m 600 "$pipe"
      ${program} backup${arguments} --stdin <"$pipe" &
      backup=$!
      exec 3>"$pipe"
      if ${lib.concatStringsSep " " backup.command} >&3; then
        exec 3>&-
        wait "$backup"
      else
        kill "$backup"
        echo "the command failed; nothing is kept" >&2
        exit 1
      fi
    ''
    + lib.optionalString (backup.pruneOpts != [ ]) ''
      ${program} unlock
      ${program} forget --prune ${lib.concatStringsSep " " backup.pruneOpts}
    ''
    + lib.optionalString backup.runCheck "${program} check ${lib.concatStringsSep " " backup.checkOpts}\n";

  service =
    name: backup:
    let
      list = "/run/${unit name}/includes";
    in
    {
      description = "Backup ${name} by restic";
      environment = environment name backup;
      restartIfChanged = false;
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      preStart = ''
        ${lib.optionalString (backup.backupPrepareCommand != null) backup.backupPrepareCommand}
        ${lib.optionalString backup.initialize "${restic backup} cat config >/dev/null || ${restic backup} init"}
        ${lib.optionalString (backup.paths != null && backup.paths != [ ]) "printf '%s\\n' ${lib.escapeShellArgs backup.paths} >>${list}"}
        ${lib.optionalString (backup.dynamicFilesFrom != null) "{\n${backup.dynamicFilesFrom}\n} >>${list}"}
      '';
      script =
        lib.optionalString backup.inhibitsSleep ''
          if [ -z "''${AWAKE-}" ]; then
            AWAKE=1 exec systemd-inhibit --mode=block --who=restic --what=sleep --why=${lib.escapeShellArg "Backup ${name}"} "$0"
          fi
        ''
        + script name backup;
      postStop = lib.optionalString (backup.backupCleanupCommand != null) backup.backupCleanupCommand;
      serviceConfig = {
        Type = "oneshot";
        User = backup.user;
        RuntimeDirectory = unit name;
        CacheDirectory = unit name;
        CacheDirectoryMode = "0700";
        PrivateTmp = true;
        EnvironmentFile = lib.mkIf (backup.environmentFile != null) backup.environmentFile;
      };
    };

  wrapper =
    name: backup:
    pkgs.writeShellScriptBin "restic-${name}" ''
      set -a
      ${lib.optionalString (backup.environmentFile != null) ". ${lib.escapeShellArg backup.environmentFile}"}
      ${lib.concatStrings (lib.mapAttrsToList (variable: value: "${variable}=${lib.escapeShellArg value}\n") (environment name backup))}
      exec ${restic backup} "$@"
    '';
  usesRclone = backup: backup.rcloneOptions != null || backup.rcloneConfig != null || backup.rcloneConfigFile != null || lib.hasPrefix "rclone:" (toString backup.repository);
in
{
  options.services.restic.backups = mkOption {
    type = types.attrsOf backup;
    default = { };
    example = {
      home = {
        paths = [ "/home" ];
        repository = "/mnt/backup";
        passwordFile = "/etc/restic-password";
        initialize = true;
      };
    };
    description = "Backups by name.";
  };

  config = lib.mkIf (cfg != { }) {
    environment.systemPackages =
      lib.unique (map (backup: backup.package) (builtins.attrValues cfg))
      ++ [ pkgs.openssh-client ]
      ++ lib.optional (builtins.any usesRclone (builtins.attrValues cfg)) pkgs.rclone
      ++ lib.mapAttrsToList wrapper (lib.filterAttrs (_: backup: backup.createWrapper) cfg);
    systemd.services = lib.mapAttrs' (name: backup: lib.nameValuePair (unit name) (service name backup)) cfg;
    systemd.timers = lib.mapAttrs' (
      name: backup:
      lib.nameValuePair (unit name) {
        description = "Backup ${name} by the clock";
        wantedBy = [ "timers.target" ];
        inherit (backup) timerConfig;
      }
    ) (lib.filterAttrs (_: backup: backup.timerConfig != null) cfg);
    assertions = lib.concatLists (
      lib.mapAttrsToList (name: backup: [
        {
          assertion = (backup.repository == null) != (backup.repositoryFile == null) || backup.environmentFile != null;
          message = "services.restic.backups.${name}: either 'repository' or 'repositoryFile' must be set";
        }
        {
          assertion = backup.passwordFile != null || backup.environmentFile != null;
          message = "services.restic.backups.${name}: 'passwordFile' or 'environmentFile' must be set";
        }
        {
          assertion = !(hasFiles backup && backup.command != [ ]);
          message = "services.restic.backups.${name}: keeps either files or the output of a command";
        }
        {
          assertion = backup.rcloneConfig != null -> lib.hasPrefix "rclone:" (toString backup.repository);
          message = "services.restic.backups.${name}: 'rcloneConfig' is for a repository that begins with 'rclone:'";
        }
      ]) cfg
    );
  };
}
