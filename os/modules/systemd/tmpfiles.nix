# Files and directories that systemd-tmpfiles makes, cleans and removes.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.systemd.tmpfiles;
  entry = types.submodule (
    { name, ... }:
    {
      options = {
        type = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Type of the entry, as in tmpfiles.d(5).";
        };
        mode = mkOption {
          type = types.str;
          default = "-";
          description = "Permissions.";
        };
        user = mkOption {
          type = types.str;
          default = "-";
          description = "Owner.";
        };
        group = mkOption {
          type = types.str;
          default = "-";
          description = "Group.";
        };
        age = mkOption {
          type = types.str;
          default = "-";
          description = "Age after which the content is removed.";
        };
        argument = mkOption {
          type = types.str;
          default = "";
          description = "Argument.";
        };
      };
    }
  );
  escape = builtins.replaceStrings [ "\n" "\t" " " ] [ "\\n" "\\t" "\\x20" ];
  lines =
    paths:
    lib.concatStrings (
      lib.concatLists (
        lib.mapAttrsToList (
          path: kinds:
          lib.mapAttrsToList (
            _: kind: "${kind.type} ${escape path} ${kind.mode} ${kind.user} ${kind.group} ${kind.age} ${escape kind.argument}\n"
          ) kinds
        ) paths
      )
    );
in
{
  options.systemd.tmpfiles = {
    rules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "d /var/lib/app 0755 root root -" ];
      description = "Lines in the form of tmpfiles.d(5).";
    };
    settings = mkOption {
      type = types.attrsOf (types.attrsOf (types.attrsOf entry));
      default = { };
      example = {
        "10-app"."/var/lib/app".d.mode = "0755";
      };
      description = "Files of rules, then paths, then types of entries.";
    };
  };

  config.environment.etc = {
    "tmpfiles.d/00-firn.conf".text = lib.concatMapStrings (rule: "${rule}\n") cfg.rules;
  }
  // lib.mapAttrs' (name: paths: lib.nameValuePair "tmpfiles.d/${name}.conf" { text = lines paths; }) cfg.settings;
}
