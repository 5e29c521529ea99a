let t = throw "x"; f = builtins.tryEval t; g = builtins.tryEval t; in [ f.success g.success ]
