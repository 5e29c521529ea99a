let s = { x = 1; y = 2; }; in let inherit (s) x y; z = x; in [ x y z ]
