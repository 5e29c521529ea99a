# Settings of NixOS that have no effect here: said when they ask for something else than what is.
{ config, lib, ... }:
let
  inherit (config) networking services;
  strict = builtins.attrNames (lib.filterAttrs (_: service: service.enableStrictShellChecks) config.systemd.services);
  hidden = builtins.attrNames (lib.filterAttrs (_: service: !service.showMotd) config.security.pam.services);
  said = [
    {
      when = !networking.useNetworkd;
      what = "networking.useNetworkd = false: the network is always systemd-networkd's";
    }
    {
      when = !networking.nftables.enable;
      what = "networking.nftables.enable = false: the firewall is always nftables'";
    }
    {
      when = services.openssh.enable && services.openssh.startWhenNeeded;
      what = "services.openssh.startWhenNeeded: one server runs all the time";
    }
    {
      when = services.nginx.enable && !services.nginx.enableReload;
      what = "services.nginx.enableReload = false: a changed configuration is always reloaded";
    }
    {
      when = config.boot.loader.efi.canTouchEfiVariables;
      what = "boot.loader.efi.canTouchEfiVariables: the firmware's variables are not changed; the loader lies where all firmware looks";
    }
    {
      when = config.nixpkgs.config != { };
      what = "nixpkgs.config: Debian's packages are not configured when they are used";
    }
    {
      when = hidden != [ ] && (config.users.motd != null || config.users.motdFile != null);
      what = "security.pam.services.<name>.showMotd = false: Debian's services of logins show users.motd (${lib.concatStringsSep ", " hidden})";
    }
    {
      when = strict != [ ];
      what = "systemd.services.<name>.enableStrictShellChecks: scripts are not checked (${lib.concatStringsSep ", " strict})";
    }
  ];
in
{
  config.warnings = map (entry: "this setting has no effect: ${entry.what}") (builtins.filter (entry: entry.when) said);
}
