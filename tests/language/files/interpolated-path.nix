"${./tree}" == builtins.path { path = ./tree; }
