let or = x: x; f = g: x: g x; in [ (f or 1) ((x: x) or) ]
