let __sub = a: b: "sub"; __lessThan = a: b: false; in [ (5 - 3) (1 < 2) ]
