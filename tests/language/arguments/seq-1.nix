builtins.seq (throw "in") 2
