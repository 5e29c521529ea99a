with builtins; [ (seq { a = throw "x"; } 1) (deepSeq { a = [ 1 ]; } 2) (tryEval (deepSeq { a = throw "x"; } 3)) ]
