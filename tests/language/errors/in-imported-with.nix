import ./imported-with.nix.txt
