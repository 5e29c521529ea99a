builtins.appendContext "x" { "/foo" = { path = true; }; }
