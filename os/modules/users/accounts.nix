# Users and groups, declared; passwd, group and shadow are written by activation.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.users;
  hash =
    description:
    mkOption {
      type = types.nullOr (types.strMatching "[^:\n]*");
      default = null;
      inherit description;
    };
  # Refused below: it would be readable by everyone in the store.
  refused = mkOption {
    type = types.nullOr types.str;
    default = null;
    description = "Always an error: plain text would be readable by everyone. Use `hashedPassword` or `hashedPasswordFile`.";
  };
  shellPath =
    shell:
    if builtins.isString shell || builtins.isPath shell then
      toString shell
    else if shell ? deb then
      "/usr${shell.shellPath or (throw "package '${shell.deb}' is not a shell")}"
    else
      "${shell}${shell.shellPath or (throw "a package without 'shellPath' is not a shell")}";

  subIds =
    kind:
    mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            ${if kind == "user" then "startUid" else "startGid"} = mkOption {
              type = types.int;
              description = "First id.";
            };
            count = mkOption {
              type = types.int;
              default = 1;
              description = "How many ids.";
            };
          };
        }
      );
      default = [ ];
      description = "Ranges of ${kind} ids that containers of the account may use.";
    };
  # Lines of /etc/subuid and subgid; ranges that nobody has given follow from the account's id.
  subLines =
    ranges: start:
    lib.concatMapStrings (
      user:
      lib.optionalString user.autoSubUidGidRange "${user.name}:auto\n"
      + lib.concatMapStrings (range: "${user.name}:${toString range.${start}}:${toString range.count}\n") user.${ranges}
    ) users;

  userType = types.submodule (
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the account exists.";
        };
        name = mkOption {
          type = types.strMatching "[a-zA-Z_][a-zA-Z0-9_.-]{0,30}[$]?";
          default = name;
          defaultText = "the attribute's name";
          description = "The account's name.";
        };
        description = mkOption {
          type = types.strMatching "[^:\n]*";
          default = "";
          example = "Alice Q. User";
          description = "Usually the user's full name.";
        };
        uid = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "User id; null takes a free one, which stays the account's for ever.";
        };
        isSystemUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the account serves a program: user id below 1000, no home, no login. Either this or `isNormalUser`.";
        };
        isNormalUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the account is a person's: home below /home that is made, group `users`, a shell.";
        };
        group = mkOption {
          type = types.str;
          default = "";
          description = "The account's primary group.";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "wheel" ];
          description = "Further groups; `wheel` may use sudo.";
        };
        home = mkOption {
          type = types.strMatching "/[^:\n]*";
          default = "/var/empty";
          description = "Home directory.";
        };
        autoSubUidGidRange = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the account has ranges of 65536 ids for containers of its own; people have unless it is off.";
        };
        subUidRanges = subIds "user";
        subGidRanges = subIds "group";
        homeMode = mkOption {
          type = types.strMatching "[0-7]{1,5}";
          default = "700";
          description = "Permissions of a home directory that is made.";
        };
        createHome = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the home directory is made when it does not exist. It is never removed.";
        };
        shell = mkOption {
          type = types.nullOr (types.oneOf [ types.package types.path types.str ]);
          default = "/usr/sbin/nologin";
          example = lib.literalExpression "pkgs.bash";
          apply = shell: if shell == null then null else shellPath shell;
          description = "Login shell, as a package or a path.";
        };
        useDefaultShell = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the shell is {option}`users.defaultUserShell`.";
        };
        hashedPassword = hash "Hash of the password, as `openssl passwd -6` writes it. An empty text allows login without one.";
        initialHashedPassword = hash "Hash of the password that an account gets when it is made, with mutable users.";
        hashedPasswordFile = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "File outside the store that holds the password's hash; read at activation.";
        };
        password = refused;
        initialPassword = refused;
        packages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          description = "Packages the user has. For now every user has them.";
        };
        linger = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the user's services run without a session.";
        };
        expires = mkOption {
          type = types.nullOr (types.strMatching "[0-9]{4}-[0-9]{2}-[0-9]{2}");
          default = null;
          description = "Date on which the account expires.";
        };
        ignoreShellProgramCheck = mkOption {
          type = types.bool;
          default = false;
          description = "Shells are not checked here, so it changes nothing.";
        };
        openssh.authorizedKeys = {
          keys = mkOption {
            type = types.listOf types.singleLineStr;
            default = [ ];
            example = [ "ssh-ed25519 AAAAC3NzaCetcetera/etceteraJZMfk3QPfQ alice@host" ];
            description = "Public keys with which the user may log in.";
          };
          keyFiles = mkOption {
            type = types.listOf types.path;
            default = [ ];
            description = "Files with such keys.";
          };
        };
      };
      config = lib.mkMerge [
        (lib.mkIf config.isNormalUser {
          group = lib.mkDefault "users";
          createHome = lib.mkDefault true;
          home = lib.mkDefault "/home/${config.name}";
          useDefaultShell = lib.mkDefault true;
          autoSubUidGidRange = lib.mkDefault (config.subUidRanges == [ ] && config.subGidRanges == [ ]);
        })
        (lib.mkIf config.useDefaultShell { shell = lib.mkDefault cfg.defaultUserShell; })
      ];
    }
  );

  groupType = types.submodule (
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.strMatching "[a-zA-Z_][a-zA-Z0-9_.-]{0,30}";
          default = name;
          defaultText = "the attribute's name";
          description = "The group's name.";
        };
        gid = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "Group id; null takes a free one, which stays the group's for ever.";
        };
        members = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Members, besides the users that name the group.";
        };
      };
    }
  );

  users = builtins.filter (user: user.enable) (builtins.attrValues cfg.users);
  members =
    group:
    lib.unique (
      group.members ++ map (user: user.name) (builtins.filter (user: builtins.elem group.name user.extraGroups) users)
    );
  dash = value: if value == null || value == "" then "-" else toString value;
  flag = value: if value then "1" else "0";
  # Tab-separated, for users.awk; "-" is nothing.
  userLine =
    user:
    lib.concatStringsSep "\t" [
      user.name
      (dash user.uid)
      user.group
      (flag user.isNormalUser)
      user.home
      (flag user.createHome)
      user.homeMode
      (dash user.shell)
      (dash (
        if user.hashedPassword != null then
          "=${user.hashedPassword}"
        else if user.initialHashedPassword != null then
          "=${user.initialHashedPassword}"
        else
          null
      ))
      (dash user.hashedPasswordFile)
      (flag user.linger)
      (dash user.expires)
      (dash user.description)
    ];
  groupLine =
    group:
    lib.concatStringsSep "\t" [
      group.name
      (dash group.gid)
      (dash (lib.concatStringsSep "," (members group)))
    ];
  duplicates = entries: lib.filter (entry: lib.count (other: other == entry) entries > 1) (lib.unique entries);
  uids = builtins.filter (uid: uid != null) (map (user: user.uid) users);
  gids = builtins.filter (gid: gid != null) (map (group: group.gid) (builtins.attrValues cfg.groups));
in
{
  options.users = {
    users = mkOption {
      type = types.attrsOf userType;
      default = { };
      example = lib.literalExpression ''{ alice = { isNormalUser = true; extraGroups = [ "wheel" ]; }; }'';
      description = "The accounts.";
    };
    groups = mkOption {
      type = types.attrsOf groupType;
      default = { };
      description = "The groups.";
    };
    mutableUsers = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether accounts and passwords may be changed on the machine with passwd and useradd. If not, activation replaces them by what is
        declared.
      '';
    };
    defaultUserShell = mkOption {
      type = types.oneOf [ types.package types.path types.str ];
      default = pkgs.bash;
      defaultText = lib.literalExpression "pkgs.bash";
      description = "Login shell of normal users.";
    };
    enforceIdUniqueness = mkOption {
      type = types.bool;
      default = true;
      description = "Whether two accounts or groups with the same id are an error.";
    };
  };

  config = {
    system.debian.packages = [
      "login"
      "passwd"
    ];
    environment.systemPackages = lib.concatMap (user: user.packages) users;
    environment.etc = lib.listToAttrs (
      map (
        user:
        lib.nameValuePair "ssh/authorized_keys.d/${user.name}" {
          text =
            lib.concatMapStrings (key: "${key}\n") user.openssh.authorizedKeys.keys
            + lib.concatMapStrings (file: builtins.readFile file + "\n") user.openssh.authorizedKeys.keyFiles;
          # sshd wants the file and all directories above it to be root's alone.
          mode = "0444";
        }
      ) (builtins.filter (user: user.openssh.authorizedKeys.keys != [ ] || user.openssh.authorizedKeys.keyFiles != [ ]) users)
    );

    system.activationScripts.users = {
      text = ". ${./setup-users.sh} ${
        pkgs.writeTree "users" {
          users.text = lib.concatMapStrings (user: "${userLine user}\n") users;
          subuid.text = subLines "subUidRanges" "startUid";
          subgid.text = subLines "subGidRanges" "startGid";
          groups.text = lib.concatMapStrings (group: "${groupLine group}\n") (builtins.attrValues cfg.groups);
        }
      } ${flag cfg.mutableUsers} ${./users.awk}";
      deps = [ "directories" ];
    };

    # As in NixOS, where many configurations name groups of services that are off.
    warnings = lib.concatMap (
      user:
      lib.concatMap (
        group:
        lib.optional (!builtins.any (known: known.name == group) (
          builtins.attrValues cfg.groups
        )) "users.users.${user.name}.extraGroups names '${group}', a group that does not exist"
      ) user.extraGroups
    ) users;
    assertions =
      lib.concatMap (user: [
        {
          assertion = user.password == null && user.initialPassword == null;
          message = "users.users.${user.name}: a plain-text password would be readable by everyone in the store; set 'hashedPasswordFile' (a file outside the store) or 'hashedPassword' (from 'openssl passwd -6')";
        }
        {
          assertion = user.group != "";
          message = "users.users.${user.name}.group is not set; name a group, or declare one with users.groups.${user.name} = { } and set it to '${user.name}'";
        }
        {
          assertion = user.group == "" || builtins.any (group: group.name == user.group) (builtins.attrValues cfg.groups);
          message = "users.users.${user.name}.group is '${user.group}', a group that does not exist; declare it with users.groups.${user.group} = { }";
        }
        {
          assertion = user.isNormalUser != user.isSystemUser || user.name == "root";
          message = "users.users.${user.name}: exactly one of 'isNormalUser' and 'isSystemUser' must be set";
        }
        {
          assertion = user.hashedPassword == null || !(lib.hasPrefix "/" user.hashedPassword);
          message = "users.users.${user.name}.hashedPassword looks like a path; hashes in files belong to 'hashedPasswordFile'";
        }
        {
          assertion = user.hashedPasswordFile == null || !(lib.hasPrefix builtins.storeDir user.hashedPasswordFile);
          message = "users.users.${user.name}.hashedPasswordFile lies in the store, where everyone can read it";
        }
      ]) users
      ++ lib.optionals cfg.enforceIdUniqueness (
        map (uid: {
          assertion = false;
          message = "users.users: the uid ${toString uid} is given to ${
            lib.concatMapStringsSep " and " (user: user.name) (builtins.filter (user: user.uid == uid) users)
          }";
        }) (duplicates uids)
        ++ map (gid: {
          assertion = false;
          message = "users.groups: the gid ${toString gid} is given to ${
            lib.concatMapStringsSep " and " (group: group.name) (
              builtins.filter (group: group.gid == gid) (builtins.attrValues cfg.groups)
            )
          }";
        }) (duplicates gids)
      );
  };
}
