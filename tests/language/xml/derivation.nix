builtins.toXML { d = { type = "derivation"; drvPath = "/x.drv"; outPath = "/x"; name = "n"; }; }
