with builtins; [ (map (x: x * 2) [ 1 2 ]) (filter (x: x > 1) [ 1 2 3 ]) (foldl' (a: b: a * 10 + b) 0 [ 1 2 3 ]) ]
