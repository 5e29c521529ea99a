# Dumps of databases by the clock, for what keeps files.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../../option-forms.nix { inherit lib pkgs; };
  postgresql = config.services.postgresqlBackup;
  mysql = config.services.mysqlBackup;

  # The last dump stays until the next one is whole, and then as the one before.
  postgresqlService =
    name: dump:
    let
      endings = {
        none = "";
        gzip = ".gz";
        zstd = ".zstd";
      };
      level = "-${toString postgresql.compressionLevel}";
      compress = {
        none = "cat";
        gzip = "gzip -c ${level} --rsyncable";
        zstd = "zstd -c ${level} --rsyncable";
      };
      file = suffix: "${postgresql.location}/${name}${suffix}.sql${endings.${postgresql.compression}}";
    in
    {
      description = "Dump of PostgreSQL: ${name}";
      requires = [ "postgresql.target" ];
      after = [ "postgresql.target" ];
      path = [
        pkgs.coreutils
        pkgs.gzip
        pkgs.zstd
      ];
      script = ''
        set -o pipefail
        umask 0077
        ${dump} | ${compress.${postgresql.compression}} >${file ".in-progress"}
        if [ -e ${file ""} ]; then
          rm -f ${postgresql.location}/${name}.prev.sql*
          mv ${file ""} ${file ".prev"}
        fi
        mv ${file ".in-progress"} ${file ""}
      '';
      serviceConfig = {
        Type = "oneshot";
        User = "postgres";
      };
      inherit (postgresql) startAt;
    };

  algorithms = {
    gzip = {
      ending = ".gz";
      levels = [ 1 9 ];
      command = level: "gzip -c ${mysql.gzipOptions} ${level}";
    };
    xz = {
      ending = ".xz";
      levels = [ 0 9 ];
      command = level: "xz -z -c ${level} -";
    };
    zstd = {
      ending = ".zst";
      levels = [ 1 19 ];
      command = level: "zstd ${level} -";
    };
  };
  algorithm = algorithms.${mysql.compressionAlg};
  inOneTransaction =
    name: if builtins.isBool mysql.singleTransaction then mysql.singleTransaction else builtins.elem name mysql.singleTransaction;
  mysqlDump = name: ''
    if mysqldump ${lib.optionalString (inOneTransaction name) "--single-transaction "}${name} | ${
      algorithm.command (lib.optionalString (mysql.compressionLevel != null) "-${toString mysql.compressionLevel}")
    } >${mysql.location}/${name}${algorithm.ending}.tmp; then
      mv ${mysql.location}/${name}${algorithm.ending}.tmp ${mysql.location}/${name}${algorithm.ending}
    else
      rm -f ${mysql.location}/${name}${algorithm.ending}.tmp
      failed="$failed ${name}"
    fi
  '';
in
{
  options.services.postgresqlBackup = {
    enable = lib.mkEnableOption "dumps of PostgreSQL";
    startAt = forms.of (types.either (types.listOf types.str) types.str) "*-*-* 01:15:00" "When they are made.";
    backupAll = mkOption {
      type = types.bool;
      default = postgresql.databases == [ ];
      defaultText = lib.literalExpression "services.postgresqlBackup.databases == [ ]";
      description = "Whether one dump has everything.";
    };
    databases = forms.strings "Databases of which each has a dump of its own.";
    location = forms.path "/var/backup/postgresql" "The directory of the dumps.";
    pgdumpOptions = forms.of (types.separatedString " ") "-C" "Options of pg_dump.";
    pgdumpAllOptions = forms.of (types.separatedString " ") "" "Options of pg_dumpall.";
    compression = forms.of (types.enum [ "none" "gzip" "zstd" ]) "gzip" "How they are compressed.";
    compressionLevel = forms.of (types.ints.between 1 19) 6 "How much; gzip knows 1 to 9.";
  };
  options.services.mysqlBackup = {
    enable = lib.mkEnableOption "dumps of MariaDB";
    calendar = forms.str "01:15:00" "When they are made.";
    compressionAlg = forms.of (types.enum (builtins.attrNames algorithms)) "gzip" "How they are compressed.";
    compressionLevel = forms.optional types.int "How much; null for the program's own choice.";
    user = forms.str "mysqlbackup" "The user who makes them.";
    databases = forms.strings "The databases.";
    location = forms.path "/var/backup/mysql" "The directory of the dumps.";
    singleTransaction = forms.of (types.either types.bool (types.listOf types.str)) false "Whether a dump is made in one transaction: of all databases, or of those named.";
    gzipOptions = forms.str "--no-name --rsyncable" "Options of gzip.";
  };

  config = lib.mkMerge [
    (lib.mkIf postgresql.enable {
      assertions = [
        {
          assertion = postgresql.backupAll -> postgresql.databases == [ ];
          message = "services.postgresqlBackup: 'backupAll' and 'databases' exclude each other";
        }
        {
          assertion = postgresql.compression == "gzip" -> postgresql.compressionLevel <= 9;
          message = "services.postgresqlBackup.compressionLevel: gzip knows 1 to 9";
        }
      ];
      systemd.tmpfiles.rules = [ "d ${postgresql.location} 0700 postgres - - -" ];
      systemd.services =
        if postgresql.backupAll then
          { postgresqlBackup = postgresqlService "all" "pg_dumpall ${postgresql.pgdumpAllOptions}"; }
        else
          builtins.listToAttrs (
            map (
              name:
              lib.nameValuePair "postgresqlBackup-${name}" (postgresqlService name "pg_dump ${postgresql.pgdumpOptions} ${name}")
            ) postgresql.databases
          );
    })
    (lib.mkIf mysql.enable {
      assertions = [
        {
          assertion =
            mysql.compressionLevel == null
            || builtins.head algorithm.levels <= mysql.compressionLevel && mysql.compressionLevel <= lib.last algorithm.levels;
          message = "services.mysqlBackup.compressionLevel: ${mysql.compressionAlg} knows ${toString (builtins.head algorithm.levels)} to ${toString (lib.last algorithm.levels)}";
        }
      ];
      users.users = lib.mkIf (mysql.user == "mysqlbackup") {
        mysqlbackup = {
          isSystemUser = true;
          createHome = false;
          home = mysql.location;
          group = "nogroup";
        };
      };
      services.mysql.ensureUsers = [
        {
          name = mysql.user;
          ensurePermissions = builtins.listToAttrs (
            map (name: lib.nameValuePair "${name}.*" "SELECT, SHOW VIEW, TRIGGER, LOCK TABLES") mysql.databases
          );
        }
      ];
      systemd.tmpfiles.rules = [ "d ${mysql.location} 0700 ${mysql.user} - - -" ];
      systemd.services.mysql-backup = {
        description = "Dump of MariaDB";
        after = [ "mysql.service" ];
        startAt = mysql.calendar;
        path = [
          pkgs.gzip
          pkgs.xz-utils
          pkgs.zstd
        ];
        script = ''
          set -o pipefail
          umask 0077
          failed=
          ${lib.concatMapStrings mysqlDump mysql.databases}
          if [ -n "$failed" ]; then
            echo "not dumped:$failed" >&2
            exit 1
          fi
        '';
        serviceConfig = {
          Type = "oneshot";
          User = mysql.user;
        };
      };
    })
  ];
}
