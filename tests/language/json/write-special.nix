builtins.toJSON [ { outPath = "p"; x = throw "no"; } { __toString = s: "t"; } "é" ]
