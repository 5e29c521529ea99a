let f = x: x; in f { a = 5; }.a
