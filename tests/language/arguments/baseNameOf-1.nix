builtins.baseNameOf { }
