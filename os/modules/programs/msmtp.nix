# msmtp: sends mail through the server of a provider.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  forms = import ../option-forms.nix { inherit lib pkgs; };
  cfg = config.programs.msmtp;
  value = content: if content == true then "on" else if content == false then "off" else toString content;
  lines = settings: lib.concatStrings (lib.mapAttrsToList (name: content: "${name} ${value content}\n") settings);
  account = types.attrsOf (types.oneOf [ types.bool types.int types.str types.path ]);
in
{
  options.programs.msmtp = {
    enable = lib.mkEnableOption "msmtp, which sends mail through the server of a provider";
    package = forms.package "msmtp";
    setSendmail = forms.bool true "Whether programs that call `sendmail` call it.";
    defaults = forms.of account { } "Settings of all accounts.";
    accounts = mkOption {
      type = types.attrsOf account;
      default = { };
      example = {
        default = {
          host = "smtp.example.org";
          auth = true;
          user = "someone";
          passwordeval = "cat /etc/secrets/mail";
        };
      };
      description = "Accounts by name; `default` is that of who names none. See msmtp(1).";
    };
    extraConfig = forms.lines "Text added to msmtprc.";
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc.msmtprc.text =
      "defaults\n${lines cfg.defaults}\n"
      + lib.concatStrings (lib.mapAttrsToList (name: settings: "account ${name}\n${lines settings}\n") cfg.accounts)
      + cfg.extraConfig;
    # Programs know sendmail by this path.
    security.wrappers = lib.mkIf cfg.setSendmail {
      sendmail = {
        source = "/usr/bin/msmtp";
        owner = "root";
        group = "root";
        permissions = "u+rx,g+x,o+x";
      };
    };
  };
}
