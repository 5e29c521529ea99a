builtins.attrValues (builtins.mapAttrs (n: v: if v == 1 then v else v + 1) { a = "x"; }) == 1 || (builtins.mapAttrs (n: v: v + 1) { a = "x"; }).a
