# htop and its configuration for the whole machine.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.programs.htop;
  single = types.oneOf [ types.bool types.int types.str ];
  text =
    value:
    if builtins.isList value then
      lib.concatMapStringsSep " " text value
    else if builtins.isBool value then
      (if value then "1" else "0")
    else
      toString value;
in
{
  options.programs.htop = {
    enable = lib.mkEnableOption "htop";
    package = mkOption {
      type = types.package;
      default = pkgs.htop;
      defaultText = lib.literalExpression "pkgs.htop";
      description = "The htop package.";
    };
    settings = mkOption {
      type = types.attrsOf (types.either single (types.listOf single));
      default = { };
      example = {
        hide_kernel_threads = true;
        fields = [ 0 48 17 ];
      };
      description = "Settings: `/etc/htoprc`.";
    };
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc.htoprc = lib.mkIf (cfg.settings != { }) {
      text =
        "# Global htop configuration\n"
        + "# To change set: programs.htop.settings.KEY = VALUE;\n"
        + lib.concatStrings (lib.mapAttrsToList (name: value: "${name}=${text value}\n") cfg.settings);
    };
  };
}
