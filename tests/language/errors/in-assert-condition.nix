assert (throw "cond"); 2
