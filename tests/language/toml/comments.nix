builtins.fromTOML "# only\n  # this\na=1 # after\n"
