let a = { b = a; c = [ a ]; }; in a
