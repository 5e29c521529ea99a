let d = derivation { name = "x"; system = "s"; builder = "b"; outputs = [ "out" "dev" "man" ]; }; in [ d.outPath d.dev.outPath d.man.outPath d.dev.outputName (map (x: x.outputName) d.all) d.drvPath ]
