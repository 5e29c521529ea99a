# Authorities whose certificates the machine's programs trust.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.security.pki;
  own = cfg.certificates != [ ] || cfg.certificateFiles != [ ] || cfg.caCertificateBlacklist != [ ];
  bundle =
    pkgs.runCommand "ca-certificates"
      {
        authorities = pkgs.ca-certificates.unpacked;
        texts = lib.concatMapStrings (text: "${text}\n") cfg.certificates;
        # The names of files, as Debian has them.
        left = map (name: lib.replaceStrings [ " " ] [ "_" ] name) cfg.caCertificateBlacklist;
        passAsFile = [ "texts" ];
      }
      ''
        mkdir -p $out
        ${lib.optionalString cfg.installCACerts ''
          find $authorities/usr/share/ca-certificates -name '*.crt' | sort | while read -r file; do
            name=''${file##*/}
            case " $left " in *" ''${name%.crt} "*) ;; *) cat "$file" ;; esac
          done >$out/ca-certificates.crt
        ''}
        for file in ${lib.concatMapStringsSep " " (file: "${file}") cfg.certificateFiles}; do cat "$file"; echo; done >>$out/ca-certificates.crt
        cat "$textsPath" >>$out/ca-certificates.crt
      '';
in
{
  options.security.pki = {
    installCACerts = forms.bool true "Whether the authorities that Debian trusts are trusted.";
    certificateFiles = mkOption {
      type = types.listOf types.path;
      default = [ ];
      example = lib.literalExpression "[ ./company.crt ]";
      description = "Files of further authorities' certificates.";
    };
    certificates = forms.strings "Texts of further authorities' certificates.";
    caCertificateBlacklist = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "ACCVRAIZ1" ];
      description = "Authorities that are not trusted, by the names that Debian's package has for them.";
    };
  };
  config = lib.mkIf (own || !cfg.installCACerts) {
    system.debian.packages = [ "ca-certificates" ];
    environment.etc."ssl/certs/ca-certificates.crt".source = "${bundle}/ca-certificates.crt";
  };
}
