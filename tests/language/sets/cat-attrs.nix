[ (builtins.catAttrs "a" [ { a = 1; } { } { a = null; } ]) (builtins.catAttrs "x" [ ]) ]
