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
  # A getty hangs the console up when it starts, and what is told by then is lost with who tells it.
  systemd.services."serial-getty@ttyS0".enable = false;
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
