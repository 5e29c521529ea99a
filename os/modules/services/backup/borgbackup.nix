# Backups by Borg: encrypted and without doubles; and repositories for those of other machines.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  cfg = config.services.borgbackup;
  words = type: types.coercedTo (types.listOf types.str) lib.escapeShellArgs type;
  arguments = mkOption {
    type = words types.str;
    default = "";
    description = "Further arguments.";
  };
  isLocal = path: lib.hasPrefix "/" path || lib.hasPrefix "." path || builtins.match ".*:.*" path == null;
  homeOf = user: if user == "root" then "/root" else config.users.users.${user}.home;

  job = types.submodule (
    { name, config, ... }:
    {
      options = {
        paths = mkOption {
          type = types.nullOr (types.coercedTo types.str lib.singleton (types.listOf types.str));
          default = null;
          example = [ "/home" ];
          description = "What is kept.";
        };
        dumpCommand = forms.optional types.path "Program whose output is kept.";
        createCommand = forms.of (types.enum [ "create" "import-tar" ]) "create" "Whether files are kept as they are, or those of a tar archive that the program prints.";
        repo = mkOption {
          type = types.str;
          example = "backup@example.org:machine";
          description = "Where the backups go.";
        };
        removableDevice = forms.bool false "Whether the repository lies on a device that is not always there.";
        archiveBaseName = mkOption {
          type = types.nullOr (types.strMatching "[^/{}]+");
          default = "${globalConfig.networking.hostName}-${name}";
          defaultText = "the machine's name and the job's";
          description = "What the names of archives begin with.";
        };
        dateFormat = mkOption {
          type = types.str;
          default = "+%Y-%m-%dT%H:%M:%S";
          example = "-u +%s";
          description = "Arguments of `date`, whose output the names of archives end with.";
        };
        startAt = forms.of (types.either types.str (types.listOf types.str)) "daily" "When it is done, as in systemd.time(7); not by itself when it is an empty list.";
        persistentTimer = forms.bool false "Whether a time that has passed while the machine was off is made up for.";
        inhibitsSleep = forms.bool false "Whether the machine stays awake meanwhile.";
        user = forms.str "root" "The account as which it is done.";
        group = forms.str "root" "The group as which it is done.";
        wrapper = forms.of (types.nullOr types.str) "borg-job-${name}" "Name of a program that works on this repository; null is none.";
        encryption = {
          mode = forms.required (types.enum [
            "repokey"
            "keyfile"
            "repokey-blake2"
            "keyfile-blake2"
            "authenticated"
            "authenticated-blake2"
            "none"
          ]) "How the repository is encrypted.";
          passCommand = mkOption {
            type = types.nullOr types.str;
            default = null;
            example = "cat /root/borg-passphrase";
            description = "Command that prints the passphrase.";
          };
          passphrase = forms.optional types.str "The passphrase. All can read it in the store.";
        };
        compression = mkOption {
          type = types.strMatching "none|(auto,)?(lz4|zstd|zlib|lzma)(,[[:digit:]]{1,2})?";
          default = "lz4";
          example = "auto,zstd";
          description = "How files are compressed.";
        };
        exclude = forms.strings "Patterns of what is not kept.";
        patterns = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "+ /home/alice" "- /home/*" ];
          description = "Patterns of what is and is not kept; the first that fits holds.";
        };
        readWritePaths = forms.of (types.listOf types.path) [ ] "Directories that the job may write to besides its own.";
        privateTmp = forms.bool true "Whether it has a directory of its own for temporary files.";
        failOnWarnings = forms.bool true "Whether the job fails when Borg warns.";
        doInit = forms.bool true "Whether the repository is made when there is none.";
        appendFailedSuffix = forms.bool true "Whether an archive is called failed until it is whole.";
        prune = {
          keep = mkOption {
            type = types.attrsOf (types.either types.int (types.strMatching "[[:digit:]]+[Hdwmy]"));
            default = { };
            example = {
              within = "1d";
              daily = 7;
              weekly = 4;
            };
            description = "How many archives of each kind stay; all of them when it is empty.";
          };
          prefix = mkOption {
            type = types.nullOr types.str;
            default = config.archiveBaseName;
            defaultText = lib.literalExpression "config.archiveBaseName";
            description = "What the names of archives begin with that may be removed.";
          };
        };
        environment = mkOption {
          type = types.attrsOf types.str;
          default = { };
          example = {
            BORG_RSH = "ssh -i /root/key";
          };
          description = "Variables of Borg.";
        };
        preHook = forms.lines "Shell text run before.";
        postInit = forms.lines "Shell text run after the repository has been made.";
        postCreate = forms.lines "Shell text run after the archive has been made; `archiveName` is its name.";
        postPrune = forms.lines "Shell text run after old archives have been removed.";
        postHook = forms.lines "Shell text run at the end; `exitStatus` tells how it ended.";
        extraArgs = arguments;
        extraInitArgs = arguments;
        extraCreateArgs = arguments;
        extraPruneArgs = arguments;
        extraCompactArgs = arguments;
      };
    }
  );
  globalConfig = config;

  repository = types.submodule (
    { name, ... }:
    {
      options = {
        path = forms.path "/var/lib/borgbackup" "Directory of the repository.";
        user = forms.str "borg" "The account that keys log in to.";
        group = forms.str "borg" "Its group.";
        authorizedKeys = forms.strings "Keys of ssh that may do everything.";
        authorizedKeysAppendOnly = forms.strings "Keys of ssh that may only add.";
        allowSubRepos = forms.bool false "Whether there may be repositories below the directory.";
        quota = mkOption {
          type = types.nullOr (types.strMatching "[[:digit:].]+[KMGTP]?");
          default = null;
          example = "100G";
          description = "How much the repository may hold.";
        };
      };
    }
  );

  passphrase =
    job:
    if job.encryption.passCommand != null then
      { BORG_PASSCOMMAND = job.encryption.passCommand; }
    else if job.encryption.passphrase != null then
      { BORG_PASSPHRASE = job.encryption.passphrase; }
    else
      { };
  environment = job: { BORG_REPO = job.repo; } // passphrase job // job.environment;
  list = name: entries: pkgs.writeText name (lib.concatMapStrings (entry: "${entry}\n") entries);

  script = name: job: ''
    extraArgs=(${job.extraArgs})
    extraInitArgs=(${job.extraInitArgs})
    extraCreateArgs=(${job.extraCreateArgs})
    extraPruneArgs=(${job.extraPruneArgs})
    extraCompactArgs=(${job.extraCompactArgs})
    on_exit() {
      exitStatus=$?
      ${job.postHook}
      exit $exitStatus
    }
    trap on_exit EXIT
    # Warnings are the statuses 1 and 100 to 127.
    borgWrapper() {
      local result=0
      borg "$@" || result=$?
      ${lib.optionalString (!job.failOnWarnings) ''
        if [[ $result == 1 || ( $result -ge 100 && $result -le 127 ) ]]; then
          echo "borg warned (status $result)"
          result=0
        fi
      ''}
      return $result
    }
    archiveName="${lib.optionalString (job.archiveBaseName != null) "${job.archiveBaseName}-"}$(date ${job.dateFormat})"
    archiveSuffix=${lib.optionalString job.appendFailedSuffix ".failed"}
    ${job.preHook}
    ${lib.optionalString job.doInit ''
      if ! borgWrapper list "''${extraArgs[@]}" >/dev/null 2>&1; then
        borgWrapper init "''${extraArgs[@]}" --encryption ${job.encryption.mode} "''${extraInitArgs[@]}"
        ${job.postInit}
      fi
    ''}
    (
      set -o pipefail
      ${lib.optionalString (job.dumpCommand != null) "${lib.escapeShellArg "${job.dumpCommand}"} |"} borgWrapper ${job.createCommand} "''${extraArgs[@]}" \
        --compression ${job.compression} \
        ${lib.optionalString (job.createCommand == "create") "--exclude-from ${list "exclude" job.exclude} --patterns-from ${list "patterns" job.patterns}"} \
        "''${extraCreateArgs[@]}" "::$archiveName$archiveSuffix" ${if job.paths == null then "-" else lib.escapeShellArgs job.paths}
    )
    ${lib.optionalString job.appendFailedSuffix ''borgWrapper rename "''${extraArgs[@]}" "::$archiveName$archiveSuffix" "$archiveName"''}
    ${job.postCreate}
    ${lib.optionalString (job.prune.keep != { }) ''
      borgWrapper prune "''${extraArgs[@]}" ${
        lib.concatStringsSep " " (lib.mapAttrsToList (kind: number: "--keep-${kind}=${toString number}") job.prune.keep)
      } ${lib.optionalString (job.prune.prefix != null) "--glob-archives ${lib.escapeShellArg "${job.prune.prefix}*"}"} "''${extraPruneArgs[@]}"
      borgWrapper compact "''${extraArgs[@]}" "''${extraCompactArgs[@]}"
      ${job.postPrune}
    ''}
  '';

  unit = name: "borgbackup-job-${name}";
  service = name: job: {
    description = "Backup ${name} by Borg";
    environment = environment job;
    restartIfChanged = false;
    script =
      lib.optionalString job.inhibitsSleep ''
        if [ -z "''${AWAKE-}" ]; then
          AWAKE=1 exec systemd-inhibit --who=borg --what=sleep --why=${lib.escapeShellArg "Backup ${name}"} "$0"
        fi
      ''
      + script name job;
    unitConfig.RequiresMountsFor = lib.mkIf (isLocal job.repo && !job.removableDevice) [ job.repo ];
    serviceConfig = {
      User = job.user;
      Group = job.group;
      CPUSchedulingPolicy = "idle";
      IOSchedulingClass = "idle";
      ProtectSystem = "strict";
      ReadWritePaths = [
        "${homeOf job.user}/.config/borg"
        "${homeOf job.user}/.cache/borg"
      ]
      ++ job.readWritePaths
      ++ lib.optional (isLocal job.repo) job.repo;
      PrivateTmp = job.privateTmp;
    };
  };
  # systemd wants the directories that a service may write to be there.
  directories =
    job:
    let
      owned.d = { inherit (job) user group; };
      home = homeOf job.user;
    in
    {
      "${home}/.config" = owned;
      "${home}/.cache" = owned;
      "${home}/.config/borg" = owned;
      "${home}/.cache/borg" = owned;
    }
    // lib.optionalAttrs (isLocal job.repo && !job.removableDevice) { ${job.repo} = owned; };
  wrapper =
    job:
    pkgs.writeShellScriptBin job.wrapper ''
      ${lib.concatStrings (lib.mapAttrsToList (variable: value: "export ${variable}=${lib.escapeShellArg value}\n") (environment job))}
      exec /usr/bin/borg ${job.extraArgs} "$@"
    '';

  loginKey =
    repo: appendOnly: key:
    let
      directory = lib.escapeShellArg (toString repo.path);
      restricted = "--restrict-to-${if repo.allowSubRepos then "path" else "repository"} .";
    in
    ''command="cd ${directory} && borg serve ${restricted}${lib.optionalString appendOnly " --append-only"}${
      lib.optionalString (repo.quota != null) " --storage-quota ${repo.quota}"
    }",restrict ${key}'';
in
{
  options.services.borgbackup = {
    package = forms.package "borgbackup";
    jobs = mkOption {
      type = types.attrsOf job;
      default = { };
      example = lib.literalExpression ''
        {
          home = {
            paths = [ "/home" ];
            repo = "/mnt/backup";
            encryption = { mode = "repokey"; passCommand = "cat /root/borg-passphrase"; };
          };
        }
      '';
      description = "Backups of this machine by name.";
    };
    repos = mkOption {
      type = types.attrsOf repository;
      default = { };
      description = "Repositories for other machines, reached by ssh.";
    };
  };

  config = lib.mkIf (cfg.jobs != { } || cfg.repos != { }) {
    environment.systemPackages = [
      cfg.package
      pkgs.openssh-client
    ]
    ++ map wrapper (builtins.filter (job: job.wrapper != null && job.wrapper != "") (builtins.attrValues cfg.jobs));
    systemd.services =
      lib.mapAttrs' (name: job: lib.nameValuePair (unit name) (service name job)) cfg.jobs
      // lib.mapAttrs' (
        name: repo:
        lib.nameValuePair "borgbackup-repo-${name}" {
          description = "Directory of the repository ${name} of Borg";
          wantedBy = [ "multi-user.target" ];
          script = ''
            mkdir -p ${lib.escapeShellArg (toString repo.path)}
            chown ${repo.user}:${repo.group} ${lib.escapeShellArg (toString repo.path)}
          '';
          serviceConfig.Type = "oneshot";
        }
      ) cfg.repos;
    systemd.timers = lib.mapAttrs' (
      name: job:
      lib.nameValuePair (unit name) {
        description = "Backup ${name} by the clock";
        wantedBy = [ "timers.target" ];
        timerConfig = {
          OnCalendar = job.startAt;
          Persistent = job.persistentTimer;
        };
        wants = lib.optional (job.persistentTimer && !isLocal job.repo) "network-online.target";
        after = lib.optional (job.persistentTimer && !isLocal job.repo) "network-online.target";
      }
    ) (lib.filterAttrs (_: job: job.startAt != [ ]) cfg.jobs);
    systemd.tmpfiles.settings = lib.mapAttrs' (name: job: lib.nameValuePair (unit name) (directories job)) cfg.jobs;
    users.users = lib.mkMerge (
      map (repo: {
        ${repo.user} = {
          inherit (repo) group;
          isSystemUser = true;
          useDefaultShell = true;
          openssh.authorizedKeys.keys = map (loginKey repo false) repo.authorizedKeys ++ map (loginKey repo true) repo.authorizedKeysAppendOnly;
        };
      }) (builtins.attrValues cfg.repos)
    );
    users.groups = lib.mkMerge (map (repo: { ${repo.group} = { }; }) (builtins.attrValues cfg.repos));
    assertions =
      lib.concatLists (
        lib.mapAttrsToList (name: job: [
          {
            assertion = job.encryption.mode != "none" -> job.encryption.passCommand != null || job.encryption.passphrase != null;
            message = "services.borgbackup.jobs.${name}: 'encryption.passCommand' or 'encryption.passphrase' must be set";
          }
          {
            assertion = (job.dumpCommand == null) != (job.paths == null);
            message = "services.borgbackup.jobs.${name}: either 'paths' or 'dumpCommand' must be set";
          }
          {
            assertion = job.createCommand == "import-tar" -> job.dumpCommand != null && job.exclude == [ ] && job.patterns == [ ];
            message = "services.borgbackup.jobs.${name}: 'import-tar' takes the output of 'dumpCommand', without patterns";
          }
          {
            assertion = job.removableDevice -> isLocal job.repo;
            message = "services.borgbackup.jobs.${name}: 'removableDevice' is for a repository of this machine";
          }
        ]) cfg.jobs
      )
      ++ lib.mapAttrsToList (name: repo: {
        assertion = repo.authorizedKeys != [ ] || repo.authorizedKeysAppendOnly != [ ];
        message = "services.borgbackup.repos.${name} has no key that may log in";
      }) cfg.repos;
  };
}
