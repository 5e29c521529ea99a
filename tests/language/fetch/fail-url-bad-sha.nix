builtins.fetchurl { url = "http://127.0.0.1:1/x"; sha256 = "short"; }
