builtins.fetchClosure { inputAddressed = 1; }
