import ./tree/bad.nix
