builtins.toJSON { z = [ ]; a = { }; m = [ 1 [ 2 ] { b = null; } ]; "q\"" = 1; }
