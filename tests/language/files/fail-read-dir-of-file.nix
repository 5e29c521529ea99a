builtins.readDir ./tree/plain.txt
