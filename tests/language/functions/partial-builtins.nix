let add3 = builtins.add 3; in [ (add3 4) (map (builtins.substring 0) [ 1 2 ] != []) ]
