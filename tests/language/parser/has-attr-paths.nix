let s = { a.b.c = null; "d e" = 1; }; n = "b"; in [ (s ? a.b.c) (s ? a.x.c) (s ? "d e") (s ? a.${n}) (s ? a.b.c.d) (1 ? a) ]
