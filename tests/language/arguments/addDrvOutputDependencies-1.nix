builtins.addDrvOutputDependencies [ ]
