# Fonts.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.fonts;
  families = {
    serif = cfg.fontconfig.defaultFonts.serif;
    sans-serif = cfg.fontconfig.defaultFonts.sansSerif;
    monospace = cfg.fontconfig.defaultFonts.monospace;
    emoji = cfg.fontconfig.defaultFonts.emoji;
  };
  alias = name: fonts: ''
    <alias binding="same"><family>${name}</family><prefer>${
      lib.concatMapStrings (font: "<family>${lib.escapeXML font}</family>") fonts
    }</prefer></alias>
  '';
in
{
  options.fonts = {
    enableDefaultPackages = forms.bool false "Whether there are fonts for most languages.";
    packages = mkOption {
      type = types.listOf (types.either types.package types.path);
      default = [ ];
      example = lib.literalExpression "[ pkgs.fonts-noto-core ]";
      description = "Packages with fonts.";
    };
    fontDir.enable = forms.bool false "Whether `/run/current-system/sw/share/X11/fonts` has them all.";
    fontconfig = {
      enable = mkOption {
        type = types.bool;
        default = cfg.packages != [ ] || cfg.enableDefaultPackages;
        defaultText = "whether there are fonts";
        description = "Whether programs find fonts by their names.";
      };
      antialias = forms.bool true "Whether edges are smoothed.";
      defaultFonts = {
        serif = forms.strings "Fonts that `serif` stands for, the best first.";
        sansSerif = forms.strings "Fonts that `sans-serif` stands for.";
        monospace = forms.strings "Fonts that `monospace` stands for.";
        emoji = forms.strings "Fonts that `emoji` stands for.";
      };
      localConf = forms.lines "Text of `local.conf`, in place of what the other options make.";
    };
  };
  config = lib.mkMerge [
    (lib.mkIf cfg.enableDefaultPackages {
      fonts.packages = map (name: pkgs.${name} or (pkgs.unlocked name)) [
        "fonts-dejavu"
        "fonts-noto-core"
      ];
    })
    (lib.mkIf (cfg.packages != [ ]) { environment.systemPackages = cfg.packages; })
    (lib.mkIf cfg.fontconfig.enable {
      system.debian.packages = [ "fontconfig" ];
      environment.etc."fonts/local.conf".text =
        if cfg.fontconfig.localConf != "" then
          cfg.fontconfig.localConf
        else
          ''
            <?xml version="1.0"?>
            <!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
            <fontconfig>
            <dir>/run/current-system/sw/share/fonts</dir>
            <match target="pattern"><edit mode="append" name="antialias"><bool>${lib.boolToString cfg.fontconfig.antialias}</bool></edit></match>
            ${lib.concatStrings (lib.mapAttrsToList alias (lib.filterAttrs (_: fonts: fonts != [ ]) families))}</fontconfig>
          '';
    })
  ];
}
