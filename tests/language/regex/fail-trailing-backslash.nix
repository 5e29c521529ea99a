builtins.match "a\\" ""
