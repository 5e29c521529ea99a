builtins.fetchTree { type = "git"; url = "http://127.0.0.1:1/"; revCount = -1; }
