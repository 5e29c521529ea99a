[ (builtins.intersectAttrs { a = 1; b = 2; c = 3; } { b = 4; }) (builtins.intersectAttrs { b = 4; } { a = 1; b = 2; c = 3; }) (builtins.intersectAttrs { } { a = 1; }) ]
