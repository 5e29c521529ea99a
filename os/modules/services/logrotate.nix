# Rotates log files by the clock.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.logrotate;
  value = types.nullOr (types.oneOf [ types.bool types.int types.float types.str ]);
  rule = types.submodule (
    { name, ... }:
    {
      freeformType = types.attrsOf value;
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the rule is there.";
        };
        global = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the settings are for all rules that follow.";
        };
        files = mkOption {
          type = types.coercedTo types.str lib.singleton (types.listOf types.str);
          default = [ name ];
          defaultText = lib.literalExpression "[ name ]";
          description = "Files, or patterns of files.";
        };
        priority = mkOption {
          type = types.int;
          default = 1000;
          description = "Place among the rules: smaller ones come first.";
        };
        frequency = mkOption {
          type = types.nullOr types.str;
          default = null;
          example = "daily";
          description = "How often the files are rotated.";
        };
      }
      // lib.genAttrs [ "postrotate" "prerotate" "firstaction" "lastaction" "preremove" ] (
        what:
        mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "Shell text of the script `${what}`.";
        }
      );
    }
  );
  scripts = [ "postrotate" "prerotate" "firstaction" "lastaction" "preremove" ];
  indent = lib.replaceString "\n" "\n    ";
  setting =
    name: content:
    if builtins.elem name scripts then
      "  ${name}\n    ${indent (lib.removeSuffix "\n" content)}\n  endscript\n"
    else if name == "frequency" then
      "  ${content}\n"
    else if content == true then
      "  ${name}\n"
    else if content == false then
      "  no${name}\n"
    else
      "  ${name} ${toString content}\n";
  settings =
    entry:
    lib.concatStrings (
      lib.mapAttrsToList setting (
        lib.filterAttrs (_: content: content != null) (removeAttrs entry [ "enable" "global" "files" "priority" ])
      )
    );
  block =
    entry:
    if entry.global then
      lib.concatMapStrings (line: "${lib.removePrefix "  " line}\n") (
        builtins.filter (line: line != "") (lib.splitString "\n" (settings entry))
      )
    else
      "${lib.concatMapStringsSep " " (file: "\"${file}\"") entry.files} {\n${settings entry}}\n";
  rules = lib.sortOn (entry: entry.priority) (builtins.filter (entry: entry.enable) (builtins.attrValues cfg.settings));
in
{
  options.services.logrotate = {
    enable = mkOption {
      type = types.bool;
      default = builtins.any (entry: entry.enable && !entry.global) (builtins.attrValues cfg.settings);
      defaultText = "whether there are rules";
      description = "Whether log files are rotated.";
    };
    settings = mkOption {
      type = types.attrsOf rule;
      default = { };
      example = {
        "/var/log/app.log" = {
          frequency = "daily";
          rotate = 7;
          compress = true;
        };
      };
      description = "Rules by file; the attribute `header` has what is for all.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Text added to the configuration; see logrotate.conf(5).";
    };
  };
  config = lib.mkMerge [
    {
      # Not below the condition, which asks for the rules.
      services.logrotate.settings.header = {
        global = true;
        priority = 100;
        frequency = lib.mkDefault "weekly";
        rotate = lib.mkDefault 4;
      };
    }
    (lib.mkIf cfg.enable {
      system.debian.packages = [ "logrotate" ];
      environment.etc."logrotate.conf".text = lib.concatMapStringsSep "\n" block rules + cfg.extraConfig;
      # What has been rotated when.
      systemd.tmpfiles.rules = [ "d /var/lib/logrotate 0755 root root -" ];
      # The units are Debian's.
      systemd.timers.logrotate.wantedBy = [ "timers.target" ];
    })
  ];
}
