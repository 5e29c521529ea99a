builtins.deepSeq 1 (throw "out")
