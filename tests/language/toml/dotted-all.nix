builtins.fromTOML "a.b.c=1\na.b.d=2\n\"x.y\".z=3\n'q'=4\n1234=5\n-_-=6"
