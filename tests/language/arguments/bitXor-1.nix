builtins.bitXor [ ] 2
