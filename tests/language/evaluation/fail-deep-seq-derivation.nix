builtins.deepSeq { type = "derivation"; a = throw "in derivation"; } 1
