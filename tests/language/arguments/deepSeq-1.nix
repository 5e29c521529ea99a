builtins.deepSeq (throw "in") 2
