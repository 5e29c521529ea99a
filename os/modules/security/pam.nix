# PAM: the parts that Debian's services include, which a maintainer script would write.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.security.pam;
  inherit (config) users;
  plain = builtins.attrNames (lib.filterAttrs (_: service: service.text == null) cfg.services);
in
{
  options.users = {
    motd = mkOption {
      type = types.nullOr types.lines;
      default = null;
      example = "Today is Sweetmorn.";
      description = "A text that is shown to who logs in.";
    };
    motdFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "The file of that text.";
    };
  };
  options.users.allowNoPasswordLogin = mkOption {
    type = types.bool;
    default = false;
    description = "Whether a system is built that nobody can log in to. It always is.";
  };
  options.security.pam = {
    loginLimits = mkOption {
      type = types.listOf types.attrs;
      default = [ ];
      example = [
        {
          domain = "@audio";
          type = "-";
          item = "rtprio";
          value = "99";
        }
      ];
      description = "Limits of sessions; see limits.conf(5).";
    };
    services = mkOption {
      type = types.attrsOf (
        types.submodule {
          options.showMotd = mkOption {
            type = types.bool;
            default = true;
            description = "Has no effect: Debian's services of logins show {option}`users.motd`.";
          };
          options.text = mkOption {
            type = types.nullOr types.lines;
            default = null;
            description = "The whole file of the service. Without it a service has the file of its package, or asks for the account's password.";
          };
        }
      );
      default = { };
      description = "Services, by their names.";
    };
  };
  config = {
    # Services that no package has a file of.
    system.debian.etcFallbacks = lib.mkIf (plain != [ ]) [
      (pkgs.writeTree "pam-services" (
        lib.genAttrs' plain (
          name:
          lib.nameValuePair "pam.d/${name}" {
            text = ''
              @include common-auth
              @include common-account
              @include common-password
              @include common-session
            '';
          }
        )
      ))
    ];
    system.debian.packages = [
      "libpam-modules"
      "libpam-runtime"
      "libpam-systemd"
    ];
    assertions = [
      {
        assertion = users.motd == null || users.motdFile == null;
        message = "users.motd and users.motdFile exclude each other";
      }
    ];
    environment.etc = {
      motd = lib.mkIf (users.motd != null || users.motdFile != null) (
        if users.motd != null then { text = users.motd; } else { source = users.motdFile; }
      );
      "pam.d/common-auth".text = ''
        auth [success=1 default=ignore] pam_unix.so nullok
        auth requisite pam_deny.so
        auth required pam_permit.so
      '';
      "pam.d/common-account".text = ''
        account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
        account requisite pam_deny.so
        account required pam_permit.so
      '';
      "pam.d/common-password".text = ''
        password [success=1 default=ignore] pam_unix.so obscure yescrypt
        password requisite pam_deny.so
        password required pam_permit.so
      '';
      "pam.d/common-session".text = ''
        session [default=1] pam_permit.so
        session requisite pam_deny.so
        session required pam_permit.so
        session optional pam_umask.so
        session required pam_unix.so
        session optional pam_systemd.so
      '';
      "pam.d/common-session-noninteractive".text = ''
        session [default=1] pam_permit.so
        session requisite pam_deny.so
        session required pam_permit.so
        session optional pam_umask.so
        session required pam_unix.so
      '';
      "security/limits.conf".text = lib.concatMapStrings (
        limit: "${limit.domain} ${limit.type} ${limit.item} ${toString limit.value}\n"
      ) cfg.loginLimits;
    }
    // lib.mapAttrs' (name: service: lib.nameValuePair "pam.d/${name}" { inherit (service) text; }) (
      lib.filterAttrs (_: service: service.text != null) cfg.services
    );
  };
}
