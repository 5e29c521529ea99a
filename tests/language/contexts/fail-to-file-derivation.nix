builtins.toFile "a" "${derivation { name = "x"; builder = "b"; system = "s"; }}"
