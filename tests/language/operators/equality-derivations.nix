let d = n: { type = "derivation"; outPath = "p"; name = n; }; in d "a" == d "b"
