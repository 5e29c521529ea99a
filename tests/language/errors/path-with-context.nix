let a = derivation { name = "a"; system = "s"; builder = "b"; }; in /x + "${a}"
