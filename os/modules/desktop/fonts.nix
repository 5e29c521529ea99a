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
  render = cfg.fontconfig;
  document = text: ''
    <?xml version="1.0"?>
    <!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
    <fontconfig>
    ${text}</fontconfig>
  '';
  property = name: type: value: "<edit mode=\"append\" name=\"${name}\"><${type}>${value}</${type}></edit>";
  refused =
    when: name: value:
    lib.optionalString when "<selectfont><rejectfont><pattern><patelt name=\"${name}\">${value}</patelt></pattern></rejectfont></selectfont>";
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
    fontconfig = {
      enable = mkOption {
        type = types.bool;
        default = cfg.packages != [ ] || cfg.enableDefaultPackages || builtins.any (fonts: fonts != [ ]) (builtins.attrValues families);
        defaultText = "whether there are fonts, or names that stand for some";
        description = "Whether programs find fonts by their names.";
      };
      antialias = forms.bool true "Whether edges are smoothed.";
      hinting = {
        enable = forms.bool true "Whether outlines are fitted to the pixels.";
        autohint = forms.bool false "Whether that is done without the font's own instructions.";
        style = forms.of (types.enum [ "none" "slight" "medium" "full" ]) "slight" "How far outlines are fitted.";
      };
      subpixel = {
        rgba = forms.of (types.enum [ "none" "rgb" "bgr" "vrgb" "vbgr" ]) "none" "Order of the screen's colours; edges are smoothed by them.";
        lcdfilter = forms.of (types.enum [ "none" "default" "light" "legacy" ]) "default" "How colours of such edges are evened.";
      };
      allowBitmaps = forms.bool true "Whether fonts of pixels are used.";
      allowType1 = forms.bool false "Whether fonts of Type 1 are used.";
      useEmbeddedBitmaps = forms.bool false "Whether pixels inside of outline fonts are used.";
      defaultFonts = {
        serif = forms.strings "Fonts that `serif` stands for, the best first.";
        sansSerif = forms.strings "Fonts that `sans-serif` stands for.";
        monospace = forms.strings "Fonts that `monospace` stands for.";
        emoji = forms.strings "Fonts that `emoji` stands for.";
      };
      localConf = forms.lines "Text of `local.conf`, which is read besides what the other options make.";
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
      environment.etc = {
        # Before those of the package, of which the first to name a property decides.
        "fonts/conf.d/09-rendering.conf".text = document ''
          <dir>/run/current-system/sw/share/fonts</dir>
          <match target="pattern">
          ${property "antialias" "bool" (lib.boolToString render.antialias)}
          ${property "hinting" "bool" (lib.boolToString render.hinting.enable)}
          ${property "autohint" "bool" (lib.boolToString render.hinting.autohint)}
          ${property "hintstyle" "const" "hint${render.hinting.style}"}
          ${property "rgba" "const" render.subpixel.rgba}
          ${property "lcdfilter" "const" "lcd${render.subpixel.lcdfilter}"}
          ${property "embeddedbitmap" "bool" (lib.boolToString render.useEmbeddedBitmaps)}
          </match>
          ${refused (!render.allowBitmaps) "scalable" "<bool>false</bool>"}
          ${refused (!render.allowType1) "fontformat" "<string>Type 1</string>"}
        '';
        "fonts/conf.d/52-default-fonts.conf".text = document (
          lib.concatStrings (lib.mapAttrsToList alias (lib.filterAttrs (_: fonts: fonts != [ ]) families))
        );
        "fonts/local.conf" = lib.mkIf (render.localConf != "") { text = render.localConf; };
      };
    })
  ];
}
