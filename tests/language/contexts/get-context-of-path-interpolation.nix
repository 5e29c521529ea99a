builtins.attrNames (builtins.getContext "${./get-context-of-path-interpolation.nix}")
