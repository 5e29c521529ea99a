builtins.sub "a" 2
