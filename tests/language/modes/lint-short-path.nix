baseNameOf (toString dir/a.nix)
