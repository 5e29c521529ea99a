# Consoles: which get a login prompt.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.console;
in
{
  options.console = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether virtual and serial consoles get login prompts.";
    };
    keyMap = mkOption {
      type = types.str;
      default = "us";
      example = "sg";
      description = "Keyboard layout of the virtual consoles, written to `/etc/vconsole.conf`.";
    };
    packages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages with fonts and layouts.";
    };
    font = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Font of the virtual consoles; null is the kernel's.";
    };
  };

  config.environment.etc."vconsole.conf".text =
    "KEYMAP=${cfg.keyMap}\n" + lib.optionalString (cfg.font != null) "FONT=${cfg.font}\n";
  config.environment.systemPackages = cfg.packages;
  config.systemd.targets = lib.mkIf cfg.enable { getty.wants = [ "getty@tty1.service" ]; };
  config.systemd.services = lib.mkIf (!cfg.enable) {
    "serial-getty@".enable = false;
    "getty@".enable = false;
    console-getty.enable = false;
  };
}
