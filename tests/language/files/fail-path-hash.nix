builtins.path { path = ./tree/plain.txt; recursive = false; sha256 = "0000000000000000000000000000000000000000000000000000"; }
