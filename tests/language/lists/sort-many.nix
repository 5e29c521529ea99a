builtins.sort builtins.lessThan (builtins.genList (i: builtins.bitAnd (i * 7919) 127) 60)
