# Devices of desktops and laptops: batteries and Bluetooth.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  bluetooth = config.hardware.bluetooth;
  section =
    name: content:
    "[${name}]\n"
    + lib.concatStrings (
      lib.mapAttrsToList (
        key: value: "${key}=${if builtins.isBool value then lib.boolToString value else toString value}\n"
      ) content
    );
in
{
  options.services.upower = {
    enable = lib.mkEnableOption "upower, which tells programs of batteries";
    package = forms.package "upower";
  };
  options.hardware.bluetooth = {
    enable = lib.mkEnableOption "Bluetooth";
    package = forms.package "bluez";
    powerOnBoot = forms.bool true "Whether it is on at the start.";
    settings = mkOption {
      type = types.attrsOf (types.attrsOf (types.oneOf [ types.bool types.int types.str ]));
      default = { };
      example = {
        General.ControllerMode = "bredr";
      };
      description = "Settings of `main.conf` by section.";
    };
  };
  config = lib.mkMerge [
    (lib.mkIf config.services.upower.enable {
      system.debian.packages = [ config.services.upower.package.deb ];
      systemd.services.upower.wantedBy = [ "graphical.target" ];
    })
    (lib.mkIf bluetooth.enable {
      system.debian.packages = [ bluetooth.package.deb ];
      hardware.bluetooth.settings.Policy.AutoEnable = lib.mkDefault bluetooth.powerOnBoot;
      environment.etc."bluetooth/main.conf".text = lib.concatStrings (lib.mapAttrsToList section bluetooth.settings);
      systemd.services.bluetooth.wantedBy = [ "multi-user.target" ];
    })
  ];
}
