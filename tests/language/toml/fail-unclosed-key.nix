builtins.fromTOML "\"a"
