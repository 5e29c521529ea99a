# The forms of options that most modules have.
{ lib, pkgs }:
let
  inherit (lib) mkOption types;
  of =
    type: default: description:
    mkOption { inherit type default description; };
  # The type names itself below itself, so that its description must not be made of its parts.
  json =
    types.nullOr (types.oneOf [ types.bool types.int types.float types.str types.path (types.listOf json) (types.attrsOf json) ])
    // {
      description = "JSON value";
    };
in
{
  inherit of json;
  bool = of types.bool;
  int = of types.int;
  port = of types.port;
  str = of types.str;
  path = of types.path;
  lines = of types.lines "";
  strings = of (types.listOf types.str) [ ];
  packages = of (types.listOf types.package) [ ];
  # Null unless it is given.
  optional = type: of (types.nullOr type) null;
  # Without a default.
  required = type: description: mkOption { inherit type description; };
  attrsOf = type: of (types.attrsOf type) { };
  listOf = type: of (types.listOf type) [ ];
  package =
    name:
    mkOption {
      type = types.package;
      # All packages that a system lacks are told together.
      default = pkgs.${name} or (pkgs.unlocked name);
      defaultText = lib.literalExpression "pkgs.${name}";
      description = "The package: Debian's ${name}.";
    };
  # Services that need little of the machine.
  hardening = {
    NoNewPrivileges = true;
    ProtectSystem = "strict";
    ProtectHome = true;
    PrivateTmp = true;
    PrivateDevices = true;
    ProtectHostname = true;
    ProtectKernelTunables = true;
    ProtectKernelModules = true;
    ProtectKernelLogs = true;
    ProtectControlGroups = true;
    LockPersonality = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
  };
}
