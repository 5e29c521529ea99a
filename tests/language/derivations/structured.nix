let d = derivation { name = "x"; system = "s"; builder = "b"; __structuredAttrs = true; a = { b = [ 1 "x" null 1.5 ]; }; outputs = [ "out" "doc" ]; }; in [ d.drvPath d.doc.outPath ]
