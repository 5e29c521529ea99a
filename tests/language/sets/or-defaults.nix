let s = { a.b = 1; }; in [ (s.a.b or 2) (s.x.y or 3) (s.a.b.c or 4) ((s.a).z or 5) ]
