let s = { b = 1; a = 2; }; in "${toString (builtins.attrValues s)}"
