# Turns a lock file into the flake's outputs. `overrides` has the nodes whose trees are known already
# ({ dir; sourceInfo; }, by node key, with `root`, a path, where the files lie elsewhere than at `outPath`); every other tree is fetched when, and only when, something looks into it.
# `flakeOfTree` makes a flake of a tree.
lockText: overrides: fetchTree: flakeOfTree:
let
  lock = builtins.fromJSON lockText;

  # The node that an input leads to: a key, or a path of input names from the root.
  target = spec: if builtins.isList spec then builtins.foldl' follow lock.root spec else spec;
  follow = key: name: target lock.nodes.${key}.inputs.${name};

  isRelative = node: (node.locked.type or null) == "path" && builtins.substring 0 1 node.locked.path != "/";

  callNode =
    key: node:
    let
      override = overrides.${key} or null;
      parent = nodes.${builtins.foldl' follow lock.root node.parent};
      relative = override == null && key != lock.root && node ? parent && isRelative node;
      sourceInfo =
        if override != null then
          override.sourceInfo
        else if relative then
          parent.sourceInfo
        else
          fetchTree (node.info or { } // removeAttrs node.locked [ "dir" ]);
      dir = if override != null then override.dir else node.locked.dir or "";
      outPath =
        if relative then
          parent.outPath + ("/" + node.locked.path + (if dir == "" then "" else "/" + dir))
        else
          sourceInfo.outPath + (if dir == "" then "" else "/" + dir);
      # The flake's directory for reading, which does not ask where a tree is in the store.
      place =
        if relative then
          parent.place + ("/" + node.locked.path + (if dir == "" then "" else "/" + dir))
        else
          override.root or sourceInfo.outPath + (if dir == "" then "" else "/" + dir);
      inputs = builtins.mapAttrs (name: spec: nodes.${target spec}.result) node.inputs;
    in
    {
      inherit sourceInfo outPath place;
      result =
        if !(node.flake or true) then
          sourceInfo // { inherit sourceInfo outPath; }
        else if node.inputs or { } == { } then
          flakeOfTree { inherit sourceInfo outPath place; }
        else
          flakeOfTree { inherit sourceInfo outPath place inputs; };
    };

  nodes = builtins.mapAttrs callNode lock.nodes;
in
nodes.${lock.root}.result
