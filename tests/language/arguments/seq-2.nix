builtins.seq 1 (throw "out")
