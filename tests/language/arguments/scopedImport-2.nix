builtins.scopedImport { } 1
