builtins.fromTOML "a = 0xfffffffffffffffff"
