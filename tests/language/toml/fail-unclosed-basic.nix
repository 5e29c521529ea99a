builtins.fromTOML "a=\"x"
