builtins.mul 1 [ ]
