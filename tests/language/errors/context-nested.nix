builtins.addErrorContext "outer" (builtins.addErrorContext "inner" (throw "base"))
