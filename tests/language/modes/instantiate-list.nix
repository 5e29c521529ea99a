[ (derivation { name = "x"; builder = "/bin/sh"; system = "s"; }) ({ p ? 1 }: derivation { name = "y"; builder = "b"; system = "s"; outputs = [ "bin" ]; }) ]
