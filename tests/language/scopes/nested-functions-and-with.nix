(a: with { b = 2; }; (c: with { d = 4; }; [ a b c d ]) 3) 1
