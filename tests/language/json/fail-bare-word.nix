builtins.fromJSON "hello"
