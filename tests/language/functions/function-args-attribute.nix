builtins.functionArgs { __functor = self: { d ? 1 }: d; __functionArgs = { e = true; }; }
