import ./imported-with-error.nix.txt
