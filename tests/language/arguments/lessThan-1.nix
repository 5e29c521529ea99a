builtins.lessThan { } 2
