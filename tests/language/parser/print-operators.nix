[ (1 + 2 - 3 * 4 / 5) (- 1) (!true) (a: a.b.c) (a: a.b or 1) (a: a ? b.c) (a: a // a) (a: b: a ++ b) (a: a -> a) ]
