# sudo.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.security.sudo;
  command = types.oneOf [
    types.str
    (types.submodule {
      options = {
        command = mkOption {
          type = types.str;
          description = "The command, `ALL` for any.";
        };
        options = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "NOPASSWD" ];
          description = "Tags of the command.";
        };
      };
    })
  ];
  rule = types.submodule {
    options = {
      users = mkOption {
        type = types.listOf (types.either types.str types.int);
        default = [ ];
        description = "Users the rule is for.";
      };
      groups = mkOption {
        type = types.listOf (types.either types.str types.int);
        default = [ ];
        description = "Groups the rule is for.";
      };
      host = mkOption {
        type = types.str;
        default = "ALL";
        description = "Hosts the rule is for.";
      };
      runAs = mkOption {
        type = types.str;
        default = "ALL:ALL";
        description = "User and group as whom commands may run.";
      };
      commands = mkOption {
        type = types.listOf command;
        description = "The commands.";
      };
    };
  };
  who =
    entry:
    map (user: if builtins.isInt user then "#${toString user}" else user) entry.users
    ++ map (group: if builtins.isInt group then "%#${toString group}" else "%${group}") entry.groups;
  commandText =
    entry:
    if builtins.isString entry then entry else lib.concatMapStrings (tag: "${tag}: ") entry.options + entry.command;
  ruleText =
    entry:
    lib.optionalString (entry.commands != [ ]) (
      lib.concatMapStrings (
        name: "${name}\t${entry.host}=(${entry.runAs})\t${lib.concatMapStringsSep ", " commandText entry.commands}\n"
      ) (who entry)
    );
in
{
  options.security.sudo = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether users may run commands as others with sudo.";
    };
    package = mkOption {
      type = types.package;
      default = pkgs.sudo;
      defaultText = lib.literalExpression "pkgs.sudo";
      description = "The sudo package.";
    };
    keepTerminfo = mkOption {
      type = types.bool;
      default = true;
      description = "Whether what terminals can do is kept.";
    };
    defaultOptions = mkOption {
      type = types.listOf types.str;
      default = [ "SETENV" ];
      description = "Tags of the rules for root and `wheel`.";
    };
    configFile = mkOption {
      type = types.lines;
      default = "";
      description = "Text of `/etc/sudoers` besides what the other options make.";
    };
    wheelNeedsPassword = mkOption {
      type = types.bool;
      default = true;
      description = "Whether members of `wheel` must give their password.";
    };
    execWheelOnly = mkOption {
      type = types.bool;
      default = false;
      description = "Whether only members of `wheel` may start sudo at all.";
    };
    extraRules = mkOption {
      type = types.listOf rule;
      default = [ ];
      description = "Further rules.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Text added to `/etc/sudoers`.";
    };
  };
  config = lib.mkIf cfg.enable {
    system.debian.packages = [ cfg.package.deb ];
    security.sudo.extraRules = lib.mkBefore [
      {
        users = [ "root" ];
        commands = [
          {
            command = "ALL";
            options = cfg.defaultOptions;
          }
        ];
      }
      {
        groups = [ "wheel" ];
        commands = [
          {
            command = "ALL";
            options = cfg.defaultOptions ++ lib.optional (!cfg.wheelNeedsPassword) "NOPASSWD";
          }
        ];
      }
    ];
    environment.etc = {
      sudoers = {
        text = ''
          # Made by the system's configuration; changes are lost.
          ${lib.optionalString cfg.keepTerminfo "Defaults env_keep+=TERMINFO_DIRS"}
          Defaults env_keep+=LOCPATH
          Defaults secure_path="/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/bin:/usr/bin:/usr/sbin"
          ${lib.concatMapStrings ruleText cfg.extraRules}
          ${cfg.configFile}
          ${cfg.extraConfig}
        '';
        mode = "0440";
      };
    };
    security.wrappers.sudo = {
      source = "/usr/bin/sudo";
      owner = "root";
      group = if cfg.execWheelOnly then "wheel" else "root";
      permissions = if cfg.execWheelOnly then "u+rx,g+x" else "u+rx,g+x,o+x";
      setuid = true;
    };
  };
}
