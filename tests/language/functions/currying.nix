let f = a: b: c: d: e: [ a b c d e ]; g = f 1 2; in [ (g 3 4 5) (f 1 2 3 4 5) ]
