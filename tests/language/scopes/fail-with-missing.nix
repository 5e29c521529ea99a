with { b = 1; }; a
