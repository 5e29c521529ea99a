let d = o: { type = "derivation"; outPath = o; junk = throw "x"; }; in [ (d "a" == d "a") (d "a" == d "b") ]
