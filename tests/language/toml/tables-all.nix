builtins.fromTOML "[a]\nx=1\n[a.b]\ny=2\n[[c]]\nz=1\n[[c]]\nz=2\n[c.d]\nw=1\n"
