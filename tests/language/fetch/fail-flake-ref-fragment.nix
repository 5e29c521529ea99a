builtins.parseFlakeRef "github:a/b#c"
