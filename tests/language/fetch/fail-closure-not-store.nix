builtins.fetchClosure { fromStore = "https://x"; fromPath = /etc; }
