let v = { a = [ 1 "b" { c = null; } ]; }; in builtins.fromJSON (builtins.toJSON v) == v
