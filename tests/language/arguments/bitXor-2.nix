builtins.bitXor 1 { }
