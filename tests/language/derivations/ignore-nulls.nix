let d = { n ? null }: derivation { name = "x"; system = "s"; builder = "b"; __ignoreNulls = true; foo = n; }; in [ (d { }).drvPath (d { n = ""; }).drvPath ]
