{ a = [ 1 2.5 "x<>&\"\n" null true ./dir ]; f = { x, y ? 1, ... }@z: 1; g = { a }: 1; h = x: x; b = builtins.add; }
