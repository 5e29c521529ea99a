builtins.hashString "sha3" "s"
