with builtins; [ (catAttrs "a" [ { a = 1; } {} { a = 2; } ]) (zipAttrsWith (n: vs: [ n vs ]) [ { a = 1; b = 2; } { a = 3; } ]) ]
