{ a = { b = 1; }; a.c = 2; d = rec { x = 1; y = x; }; d.z = 3; }
