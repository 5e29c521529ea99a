# git and its configuration for the whole machine.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.programs.git;
  value = types.oneOf [ types.bool types.int types.str ];
  keys = types.attrsOf (types.either value (types.listOf value));
  quoted = text: "\"${lib.escape [ "\\" "\"" ] text}\"";
  text = content: if builtins.isBool content then lib.boolToString content else if builtins.isInt content then toString content else quoted content;
  # `url.https://a/` is the section [url "https://a/"].
  heading =
    name:
    let
      parts = builtins.match "([^.]+)\\.(.*)" name;
    in
    if parts == null then "[${name}]" else "[${builtins.head parts} ${quoted (lib.last parts)}]";
  line = key: content: lib.concatMapStrings (one: "\t${key} = ${text one}\n") (lib.toList content);
  # Sets inside sections are subsections.
  sections =
    name: content:
    let
      here = lib.filterAttrs (_: entry: !builtins.isAttrs entry) content;
      below = lib.filterAttrs (_: builtins.isAttrs) content;
    in
    lib.optionalString (here != { }) "${heading name}\n${lib.concatStrings (lib.mapAttrsToList line here)}"
    + lib.concatStrings (lib.mapAttrsToList (sub: sections "${name}.${sub}") below);
in
{
  options.programs.git = {
    enable = lib.mkEnableOption "git";
    package = mkOption {
      type = types.package;
      default = pkgs.git;
      defaultText = lib.literalExpression "pkgs.git";
      description = "The git package.";
    };
    config = mkOption {
      type = types.attrsOf (types.attrsOf (types.either (types.either value (types.listOf value)) keys));
      default = { };
      example = {
        init.defaultBranch = "main";
        url."https://github.com/".insteadOf = [ "gh:" "github:" ];
      };
      description = "Settings by section, subsection and name: `/etc/gitconfig`.";
    };
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc.gitconfig = lib.mkIf (cfg.config != { }) {
      text = lib.concatStrings (lib.mapAttrsToList sections cfg.config);
    };
  };
}
