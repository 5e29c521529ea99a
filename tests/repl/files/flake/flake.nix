{ outputs = _: { one = 1; nested.two = 2; packages.x86_64-linux.p = 3; }; }
