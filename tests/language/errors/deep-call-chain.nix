let f0 = x: f1 x; f1 = x: f2 x; f2 = x: f3 x; f3 = x: x.nope; in f0 { a = 1; }
