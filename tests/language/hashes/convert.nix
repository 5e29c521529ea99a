let h = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; c = f: builtins.convertHash { hash = h; toHashFormat = f; }; in map c [ "base16" "nix32" "base64" "sri" ]
