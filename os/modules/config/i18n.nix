# Languages.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.i18n;
  # "de_CH.UTF-8/UTF-8" or "de_CH.UTF-8". The C library brings C.UTF-8 with it.
  names = lib.unique (map (text: builtins.head (lib.splitString "/" text)) (
    cfg.supportedLocales ++ cfg.extraLocales ++ [ cfg.defaultLocale ] ++ builtins.filter (lib.hasInfix ".") (builtins.attrValues (removeAttrs cfg.extraLocaleSettings [ "LANGUAGE" ]))
  ));
  built = builtins.filter (name: !(builtins.elem name [ "C.UTF-8" "C.utf8" "C" "POSIX" ])) names;
  archive =
    let
      source = pkgs.systemEnv {
        name = "locale-sources";
        packages = [ "locales" ];
      };
    in
    pkgs.runCommand "locales" { inherit source; locales = built; } ''
      mkdir -p "$out"
      cp -r "$source" root
      chmod -R u+w root
      mkdir -p root/out
      for locale in $locales; do
        input=''${locale%%.*}
        case $locale in *@*) input=$input@''${locale#*@} ;; esac
        charmap=''${locale#*.}
        charmap=''${charmap%@*}
        # localedef would start gzip, which is not there.
        packed=root/usr/share/i18n/charmaps/$charmap.gz
        if [ -e "$packed" ]; then gunzip "$packed"; fi
        unshare -r chroot root /usr/bin/localedef --no-archive -i "$input" -f "$charmap" "/out/$locale" ||
          { echo "i18n: locale '$locale' cannot be built" >&2; exit 1; }
      done
      cp -r root/out/. "$out"
    '';
in
{
  options.i18n = {
    defaultLocale = mkOption {
      type = types.str;
      default = "C.UTF-8";
      example = "de_CH.UTF-8";
      description = "The locale of all programs that are not told another.";
    };
    extraLocaleSettings = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        LC_TIME = "de_CH.UTF-8";
      };
      description = "Further `LC_` variables.";
    };
    supportedLocales = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "en_GB.UTF-8/UTF-8" ];
      description = "Locales, besides the default one, those of {option}`i18n.extraLocaleSettings` and C.UTF-8, that the system has.";
    };
    extraLocales = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "nl_NL.UTF-8/UTF-8" ];
      description = "More of them.";
    };
  };

  config = {
    environment.sessionVariables = {
      LANG = cfg.defaultLocale;
    }
    // cfg.extraLocaleSettings
    // lib.optionalAttrs (built != [ ]) { LOCPATH = "/etc/locale"; };
    environment.etc = {
      "locale.conf".text = lib.concatStringsSep "" (
        [ "LANG=${cfg.defaultLocale}\n" ] ++ lib.mapAttrsToList (name: value: "${name}=${value}\n") cfg.extraLocaleSettings
      );
      "locale" = lib.mkIf (built != [ ]) { source = archive; };
    };
    systemd.globalEnvironment = lib.mkIf (built != [ ]) { LOCPATH = "/etc/locale"; };
  };
}
