builtins.concatMap (x: { y = x; }) [ 1 ]
