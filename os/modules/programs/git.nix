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
  sectionsType = types.attrsOf (types.attrsOf (types.either (types.either value (types.listOf value)) keys));
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
      type = types.coercedTo sectionsType lib.singleton (types.listOf sectionsType);
      default = [ ];
      example = {
        init.defaultBranch = "main";
        url."https://github.com/".insteadOf = [ "gh:" "github:" ];
      };
      description = "Settings by section, subsection and name: `/etc/gitconfig`. A list of such sets is written in its order.";
    };
    attributes = mkOption {
      type = types.lines;
      default = "";
      example = "*.pdf diff=pdf";
      description = "Attributes of files: `/etc/gitattributes`.";
    };
    lfs = {
      enable = lib.mkEnableOption "git-lfs, which keeps large files elsewhere";
      package = mkOption {
        type = types.package;
        default = pkgs.git-lfs;
        defaultText = lib.literalExpression "pkgs.git-lfs";
        description = "The git-lfs package.";
      };
    };
    prompt.enable = lib.mkEnableOption "the functions that tell a prompt about the repository; the prompt is not changed";
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ] ++ lib.optional cfg.lfs.enable cfg.lfs.package;
    environment.interactiveShellInit = lib.mkIf cfg.prompt.enable ". /usr/lib/git-core/git-sh-prompt";
    programs.git.config = lib.mkIf cfg.lfs.enable {
      filter.lfs = {
        clean = "git-lfs clean -- %f";
        smudge = "git-lfs smudge -- %f";
        process = "git-lfs filter-process";
        required = true;
      };
    };
    environment.etc.gitconfig = lib.mkIf (cfg.config != [ ]) {
      text = lib.concatMapStrings (entry: lib.concatStrings (lib.mapAttrsToList sections entry)) cfg.config;
    };
    environment.etc.gitattributes = lib.mkIf (cfg.attributes != "") { text = "${cfg.attributes}\n"; };
  };
}
