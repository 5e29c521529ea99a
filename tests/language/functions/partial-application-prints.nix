[ builtins.add (builtins.add 1) (a: b: a) ((a: b: a) 1) ]
