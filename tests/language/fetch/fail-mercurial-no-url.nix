builtins.fetchMercurial { rev = "x"; }
