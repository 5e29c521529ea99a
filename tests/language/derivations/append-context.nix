let p = "/nix/store/00000000000000000000000000000000-x.drv"; in builtins.getContext (builtins.addDrvOutputDependencies (builtins.unsafeDiscardStringContext "a")  )
