let s = { a.b = 1; c = null; }; in [ (s ? a) (s ? a.b) (s ? a.b.c) (s ? c.d) (s ? "a".${"b"}) (1 ? a) ]
