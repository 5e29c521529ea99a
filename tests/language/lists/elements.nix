with builtins; [ (elemAt [ 1 2 3 ] 1) (head [ 1 2 ]) (tail [ 1 2 3 ]) (length [ 1 2 ]) (elem 2 [ 1 2 ]) (elem { a = 1; } [ { a = 1; } ]) ]
