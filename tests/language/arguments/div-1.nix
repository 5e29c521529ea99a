builtins.div "a" 2
