with { a = a; }; let b = b; in b
