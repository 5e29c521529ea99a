builtins.match "(" ""
