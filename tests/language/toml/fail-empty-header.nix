builtins.fromTOML "[]"
