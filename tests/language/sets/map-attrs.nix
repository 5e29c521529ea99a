builtins.mapAttrs (n: v: n + toString v) { b = 1; a = 2; }
