builtins.fetchClosure { nope = 1; }
