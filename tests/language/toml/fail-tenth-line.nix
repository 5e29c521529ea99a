builtins.fromTOML "\n\n\n\n\n\n\n\n\na=1\na=2"
