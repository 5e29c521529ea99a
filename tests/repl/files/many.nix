builtins.listToAttrs (builtins.genList (i: { name = "name${toString (100 + i)}"; value = i; }) 25)
