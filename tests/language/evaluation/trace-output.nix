builtins.trace { a = 1; b = [ 1 (throw "x") ]; f = x: x; } (builtins.trace "text\nlines" (builtins.trace 1.5 (builtins.trace null 3)))
