builtins.addErrorContext "while doing it" (throw "oops")
