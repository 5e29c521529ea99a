builtins.split "a{2,1}" ""
