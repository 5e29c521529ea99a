builtins.lenght [ ]
