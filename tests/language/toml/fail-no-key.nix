builtins.fromTOML "=1"
