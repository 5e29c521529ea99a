builtins.toJSON { a = 1; b = [ 1.5 null true "q\"\\\n\t" ]; c = { }; "x y" = -1; d = 1.0; e = 100000000000000000.0; f = 1.0e-5; }
