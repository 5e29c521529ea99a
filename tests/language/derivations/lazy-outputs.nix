let d = derivation { name = throw "never"; system = "s"; builder = "b"; }; in [ d.type d.outputName d.system ]
