(derivation { name = "x"; builder = "/bin/sh"; system = "s"; outputHashMode = "text"; outputHash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; }).outPath
