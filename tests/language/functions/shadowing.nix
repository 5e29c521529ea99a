let x = 1; f = x: let x = 2; in x; in [ (f 9) x ((x: x: x) 1 2) ]
