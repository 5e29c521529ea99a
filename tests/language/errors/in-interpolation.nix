"a ${"b ${toString (throw "deep")}"} c"
