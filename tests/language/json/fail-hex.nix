builtins.fromJSON ''"\u12g4"''
