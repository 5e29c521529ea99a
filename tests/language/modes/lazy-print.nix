{ a = 1 + 1; b = [ (1 + 1) 2 ]; c = x: x; d = { }; e = builtins.add; f = builtins.add 1; g = null; h = "s"; }
