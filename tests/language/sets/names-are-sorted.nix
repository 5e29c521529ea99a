builtins.attrNames { z = 1; a = 1; Z = 1; "0" = 1; "é" = 1; _ = 1; }
