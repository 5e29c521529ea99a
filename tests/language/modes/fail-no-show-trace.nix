let f = x: if x == 0 then throw "deep" else g (x - 1); g = x: { v = f x; }.v; in [ { a = f 3; } ]
