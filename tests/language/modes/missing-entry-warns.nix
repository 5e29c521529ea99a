builtins.tryEval <m>
