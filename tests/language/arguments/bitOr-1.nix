builtins.bitOr true 2
