builtins.fromTOML "a=tru"
