[ (builtins.seq { a = throw "x"; } 1) (builtins.deepSeq { a = [ 1 ]; } 2) ]
