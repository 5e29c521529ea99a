# A small machine whose console is the serial port.
{ modulesPath, ... }:
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];
  boot.loader = {
    systemd-boot.enable = true;
    timeout = 0;
  };
  boot.kernelParams = [ "console=ttyS0" "mitigations=off" ];
  systemd.network.wait-online.enable = false;
  systemd.services.tell = {
    path = [ "/run/current-system/sw" ];
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Type = "idle";
      StandardOutput = "tty";
      StandardError = "tty";
      TTYPath = "/dev/ttyS0";
    };
  };
}
