builtins.fetchurl "http://127.0.0.1:1/a%20b?c=d"
