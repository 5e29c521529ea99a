{ a = [ 1 2.5 "x" null true ]; b = { outPath = "/o"; }; c = { __toString = s: "t"; }; }
