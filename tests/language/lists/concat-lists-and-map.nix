with builtins; [ (concatLists [ [ 1 ] [] [ 2 3 ] ]) (concatMap (x: [ x x ]) [ 1 2 ]) (genList (x: x * x) 5) ]
