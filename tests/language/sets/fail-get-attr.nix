builtins.getAttr "abc" { abd = 1; }
