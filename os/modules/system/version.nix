# Versions and names of the system itself.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  suite = builtins.head (map (entry: entry.suite) pkgs.lock.suites);
in
{
  options.system = {
    stateVersion = mkOption {
      type = types.strMatching "[0-9]{2}\\.[0-9]{2}";
      default = "26.11";
      example = "26.11";
      description = ''
        The version with which this machine was installed first. Modules whose data have a form that changed since then keep to the
        old form. Leave it alone when you upgrade.
      '';
    };
    name = mkOption {
      type = types.str;
      default = if config.networking.hostName == "" then "unnamed" else config.networking.hostName;
      defaultText = lib.literalExpression "config.networking.hostName";
      description = "The name of the system in its store path.";
    };
    firn = {
      version = mkOption {
        type = types.str;
        default = "0.1";
        internal = true;
        description = "Version of Firn's modules.";
      };
      label = mkOption {
        type = types.str;
        defaultText = "version of Firn and suite of the packages";
        description = "Text that tells this system from others in the boot menu.";
      };
      suite = mkOption {
        type = types.str;
        default = suite;
        internal = true;
        description = "Debian's suite the packages come from.";
      };
    };
  };

  config.services.getty.greetingLine = lib.mkDefault "Firn OS ${config.system.firn.label} \\n \\l";
  config.environment.etc.os-release.text = ''
    NAME="Firn OS"
    ID=firn
    ID_LIKE=debian
    VERSION="${config.system.firn.label}"
    VERSION_ID="${config.system.firn.version}"
    VERSION_CODENAME=${suite}
    PRETTY_NAME="Firn OS ${config.system.firn.version} (Debian ${suite})"
  '';
}
