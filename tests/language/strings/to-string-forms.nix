map toString [ 1 1.5 true false null "s" /a/b [ 1 [ 2 3 ] [] "x" ] { outPath = "o"; } { __toString = self: self.n; n = "t"; } ]
