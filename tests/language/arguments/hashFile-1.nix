builtins.hashFile "sha3" ./.
