let f = x: { a = g x; }; g = x: x.b.c; in (f { b = 1; }).a
