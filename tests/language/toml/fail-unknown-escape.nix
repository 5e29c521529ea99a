builtins.fromTOML "a=\"\\q\""
