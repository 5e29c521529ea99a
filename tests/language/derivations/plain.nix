let d = derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo" ]; FOO = [ 1 true null "a" ]; }; in [ d.drvPath d.outPath d.type d.outputName d.name ]
