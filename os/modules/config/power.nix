# Power of processors, sleep and what the kernel lets others replace.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  governor = config.powerManagement.cpuFreqGovernor;
  sleep = config.systemd.sleep;
  text = import ../systemd/unit-text.nix { inherit lib pkgs; };
  options = import ../systemd/unit-options.nix { inherit lib pkgs; };
in
{
  options = {
    powerManagement = {
      enable = forms.bool true "Whether power is managed.";
      cpuFreqGovernor = forms.optional types.str "Governor of the processors' frequency, such as `powersave`; where there is none, nothing is set.";
    };
    systemd.sleep = {
      settings.Sleep = forms.of options.section { } "Settings of sleep; see systemd-sleep.conf(5).";
      extraConfig = forms.lines "Further lines of the section `[Sleep]`.";
    };
    security.protectKernelImage = forms.bool false "Whether the running kernel can be replaced by none.";
  };
  config = {
    systemd.services.cpufreq = lib.mkIf (governor != null && config.powerManagement.enable) {
      description = "Frequency of the processors";
      wantedBy = [ "multi-user.target" ];
      unitConfig.ConditionVirtualization = "!container";
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = ''
        for file in /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do
          if [ -e "$file" ]; then echo ${lib.escapeShellArg governor} >"$file"; fi
        done
      '';
    };
    environment.etc."systemd/sleep.conf" = lib.mkIf (sleep.extraConfig != "" || sleep.settings.Sleep != { }) {
      text = "[Sleep]\n${text.keys sleep.settings.Sleep}${sleep.extraConfig}";
    };
    boot.kernel.sysctl."kernel.kexec_load_disabled" = lib.mkIf config.security.protectKernelImage (lib.mkDefault true);
    boot.kernelParams = lib.mkIf config.security.protectKernelImage [ "nohibernate" ];
  };
}
