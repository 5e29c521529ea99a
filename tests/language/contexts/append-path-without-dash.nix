builtins.getContext (builtins.appendContext "x" { "/nix/store/00000000000000000000000000000000xname" = { path = true; }; })
