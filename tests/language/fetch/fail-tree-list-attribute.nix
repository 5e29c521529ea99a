builtins.fetchTree { type = "git"; url = [ ]; }
