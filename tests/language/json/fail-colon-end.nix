builtins.fromJSON "{\"a\":"
