builtins.getContext (builtins.appendContext "x" { "/nix/store/0000000000000000000000000000000e-x" = { path = true; }; })
