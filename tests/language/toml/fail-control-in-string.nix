builtins.fromTOML "a=\"\""
