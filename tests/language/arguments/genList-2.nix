builtins.genList (i: i) "2"
