# /etc: the declared entries over the defaults of the Debian packages, as a tree that activation links into /etc.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  env = config.system.debian.env;
  enabled = builtins.filter (entry: entry.enable) (builtins.attrValues config.environment.etc);

  entryType = types.submodule (
    { name, config, options, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether this entry is made.";
        };
        target = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Where the entry is, relative to `/etc`.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "Content of the file.";
        };
        source = mkOption {
          type = types.path;
          description = "The file or directory that the entry links to.";
        };
        mode = mkOption {
          type = types.str;
          default = "symlink";
          example = "0600";
          description = "With `symlink` the entry is a link into the store; with file permissions, a copy of the file that has them.";
        };
        uid = mkOption {
          type = types.int;
          default = 0;
          description = "User id of a copied file's owner.";
        };
        gid = mkOption {
          type = types.int;
          default = 0;
          description = "Group id of a copied file.";
        };
        user = mkOption {
          type = types.str;
          default = "+${toString config.uid}";
          defaultText = "the uid";
          description = "Owner of a copied file; takes precedence over `uid`.";
        };
        group = mkOption {
          type = types.str;
          default = "+${toString config.gid}";
          defaultText = "the gid";
          description = "Group of a copied file; takes precedence over `gid`.";
        };
      };
      config.source = lib.mkIf (config.text != null) (
        lib.mkDerivedConfig options.text (pkgs.writeText "etc-${baseNameOf name}")
      );
    }
  );

  # Texts that nothing else refers to are written into the tree itself; a file that is named by another goes by its source.
  files = builtins.listToAttrs (
    lib.concatMap (
      entry:
      let
        content = if entry.text != null then { inherit (entry) text; } else { target = "${entry.source}"; };
        owner = suffix: value: {
          name = "etc/${entry.target}.${suffix}";
          value.text = "${value}\n";
        };
      in
      [
        {
          name = "etc/${entry.target}";
          value = content;
        }
      ]
      ++ lib.optionals (entry.mode != "symlink") [
        (owner "mode" entry.mode)
        (owner "uid" entry.user)
        (owner "gid" entry.group)
      ]
    ) enabled
  );
  targets = map (entry: entry.target) enabled;
  doubled = builtins.filter (target: lib.count (other: other == target) targets > 1) (lib.unique targets);
in
{
  options = {
    environment.etc = mkOption {
      type = types.attrsOf entryType;
      default = { };
      example = lib.literalExpression ''
        {
          "motd".text = "hello";
          "app/key".source = ./key.pub;
        }
      '';
      description = "Files and directories below `/etc`.";
    };
    system.build = mkOption {
      type = types.submodule { freeformType = types.lazyAttrsOf types.unspecified; };
      default = { };
      description = "Derivations that make up the system.";
    };
  };

  config = {
    assertions = map (target: {
      assertion = false;
      message = "environment.etc: two entries have the target '${target}'";
    }) doubled;

    system.build.etc = pkgs.buildTree {
      name = "etc";
      inherit files;
      sources = [
        {
          from = "${env}/etc";
          to = "etc";
          except = config.system.debian.excludeEtc;
        }
      ]
      ++ map (tree: {
        from = "${tree}";
        to = "etc";
      }) config.system.debian.etcFallbacks;
    };

    system.activationScripts.etc = {
      text = ". ${./setup-etc.sh} \"$systemConfig/etc\"";
      deps = [ "users" ];
    };
  };
}
