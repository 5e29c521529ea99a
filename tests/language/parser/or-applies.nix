let s = { a = x: x; }; in (s.b or (x: x + 1)) 1
