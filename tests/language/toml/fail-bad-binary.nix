builtins.fromTOML "a=0b2"
