builtins.toXML { a = 1; b = [ 1.5 "x<&>\"y" null true ]; c = x: x; d = { a, b ? 1, ... }@z: a; e = builtins.map; f = { outPath = "/p"; }; }
