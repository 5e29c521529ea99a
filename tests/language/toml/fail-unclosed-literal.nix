builtins.fromTOML "a='x"
