builtins.bitOr 1 null
