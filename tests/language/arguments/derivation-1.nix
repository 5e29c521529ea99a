builtins.derivation 1
