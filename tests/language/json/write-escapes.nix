builtins.toJSON "a\"b\\c\n\t\rd/é😀${builtins.fromJSON ''"\u0001\u001f\u007f"''}"
