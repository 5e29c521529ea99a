let s = { a = throw "a"; b = 1; }; in [ s.b (s ? a) (builtins.attrNames s) (builtins.length (builtins.attrValues s)) (builtins.mapAttrs (n: v: n) s) (removeAttrs s [ "a" ]) ]
