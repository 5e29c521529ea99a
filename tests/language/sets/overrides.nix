let s = rec { a = 1; b = a; __overrides = { a = 2; c = 3; }; }; in [ s.a s.b s.c ]
