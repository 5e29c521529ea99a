[ builtins.langVersion (builtins ? builtins) (builtins.builtins == builtins || true) builtins.storeDir ]
