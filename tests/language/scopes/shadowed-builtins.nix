let map = x: "mine"; true = false; in [ (map 1) true ]
