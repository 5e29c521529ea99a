import "tree/sub/inner.nix"
