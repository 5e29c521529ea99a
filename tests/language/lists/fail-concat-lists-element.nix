builtins.concatLists [ [ 1 ] { } ]
