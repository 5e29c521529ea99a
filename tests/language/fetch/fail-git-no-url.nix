builtins.fetchGit { rev = "x"; }
