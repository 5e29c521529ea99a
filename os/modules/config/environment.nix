# Programs that are on PATH, and variables of all sessions.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.environment;
  variableType = types.attrsOf (
    types.oneOf [
      (types.listOf (types.oneOf [ types.int types.str types.path ]))
      types.int
      types.str
      types.path
    ]
  );
  # A path of the configuration is copied.
  single = value: if builtins.isPath value then "${value}" else toString value;
  text = value: if builtins.isList value then lib.concatMapStringsSep ":" single value else single value;
  ofUser = value: lib.hasInfix "$HOME" value || lib.hasInfix "$USER" value;
  own = builtins.filter (package: !(package ? deb)) cfg.systemPackages;
in
{
  options = {
    environment = {
      systemPackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
        example = lib.literalExpression "[ pkgs.jq pkgs.git ]";
        description = ''
          Packages whose programs every user has. A Debian package of the lock (`pkgs.NAME`) becomes part of `/usr`, with all it depends
          on; other packages are linked into `/run/current-system/sw`.
        '';
      };
      defaultPackages = mkOption {
        type = types.listOf types.package;
        default = [
          pkgs.less
          pkgs.procps
          pkgs.nano
        ];
        defaultText = lib.literalExpression "[ pkgs.less pkgs.procps pkgs.nano ]";
        description = "Packages that are not needed but expected on a machine; set it to `[ ]` for a smaller one.";
      };
      pathsToLink = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "/etc/xdg" ];
        description = "Directories of packages that are linked into `/run/current-system/sw`, besides `/bin`, `/sbin`, `/lib` and `/share`.";
      };
      variables = mkOption {
        type = variableType;
        default = { };
        example = {
          EDITOR = "nano";
        };
        apply = lib.mapAttrs (_: text);
        description = "Variables set in the shells of all users; elements of a list are joined by colons. Other variables in them, such as `$HOME`, have their values.";
      };
      sessionVariables = mkOption {
        type = variableType;
        default = { };
        apply = lib.mapAttrs (_: text);
        description = "Variables of all sessions, set by PAM at login.";
      };
      homeBinInPath = mkOption {
        type = types.bool;
        default = false;
        description = "Whether `~/bin` is on PATH.";
      };
      extraInit = mkOption {
        type = types.lines;
        default = "";
        description = "Shell text run after the variables are set, by all shells.";
      };
      profileRelativeSessionVariables = mkOption {
        type = types.attrsOf (types.listOf types.str);
        default = { };
        example = {
          PATH = [ "/games" ];
        };
        description = "Variables whose values are directories of the system's programs that are not Debian's.";
      };
      enableAllTerminfo = mkOption {
        type = types.bool;
        default = false;
        description = "Whether all terminals are known: Debian's ncurses-term.";
      };
      localBinInPath = mkOption {
        type = types.bool;
        default = false;
        description = "Whether `~/.local/bin` is on PATH.";
      };
    };
    system.path = mkOption {
      type = types.package;
      internal = true;
      description = "The packages of {option}`environment.systemPackages` that are not Debian's, linked into one tree.";
    };
  };

  config = {
    environment = {
      pathsToLink = [
        "/bin"
        "/sbin"
        "/lib"
        "/share"
      ];
      systemPackages = cfg.defaultPackages ++ lib.optional cfg.enableAllTerminfo pkgs.ncurses-term;
      variables = lib.mapAttrs (_: lib.mkDefault) cfg.sessionVariables;
      etc = {
        "set-environment".text = ''
          # Sourced by the shells of all users.
          export PATH="/run/wrappers/bin:${lib.optionalString cfg.homeBinInPath "$HOME/bin:"}${lib.optionalString cfg.localBinInPath "$HOME/.local/bin:"}$HOME/.nix-profile/bin:/nix/var/nix/profiles/default/bin:/run/current-system/sw/bin:/usr/local/bin:/usr/bin:/usr/sbin"
          ${lib.concatStringsSep "\n" (lib.mapAttrsToList (name: value: "export ${name}=\"${value}\"") cfg.variables)}
          ${lib.concatStringsSep "\n" (
            lib.mapAttrsToList (
              name: places: "export ${name}=\"${lib.concatMapStringsSep ":" (place: "/run/current-system/sw${place}") places}\${${name}:+:\$${name}}\""
            ) cfg.profileRelativeSessionVariables
          )}
          ${cfg.extraInit}
          export __FIRN_SET_ENVIRONMENT=1
        '';
        environment.text = ''
          PATH=/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/bin:/usr/bin:/usr/sbin
          ${lib.concatStringsSep "\n" (lib.mapAttrsToList (name: value: "${name}=\"${value}\"") (lib.filterAttrs (_: value: !ofUser value) cfg.sessionVariables))}
        '';
        # PAM knows the user's own ones by other words.
        "security/pam_env.conf" = lib.mkIf (builtins.any ofUser (builtins.attrValues cfg.sessionVariables)) {
          text = lib.concatStrings (
            lib.mapAttrsToList (
              name: value: "${name} DEFAULT=\"${lib.replaceStrings [ "$HOME" "$USER" ] [ "@{HOME}" "@{PAM_USER}" ] value}\"\n"
            ) (lib.filterAttrs (_: ofUser) cfg.sessionVariables)
          );
        };
      };
    };
    system.path = pkgs.symlinkJoin {
      name = "system-path";
      paths = own;
      inherit (cfg) pathsToLink;
    };
  };
}
