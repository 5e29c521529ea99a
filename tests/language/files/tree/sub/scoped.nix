[ x (builtins ? map) ]
