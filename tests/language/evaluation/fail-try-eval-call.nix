builtins.tryEval ((x: x) 1 2)
