builtins.convertHash { hash = "md5-1B2M2Y8AsgTpgAmY7PhCfg=="; hashAlgo = "sha1"; toHashFormat = "sri"; }
