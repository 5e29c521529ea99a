builtins.foldl' (a: b: b) (throw "unused") [ 1 2 ]
