let f = x: x + 1; in [ (f 1 + 1) (f (f 1)) (map f [ 1 2 ]) ]
