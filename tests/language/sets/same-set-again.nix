let
  set = { x = { q = 1; }; y = 2; };
  large = builtins.listToAttrs (builtins.genList (i: { name = "n${toString i}"; value = { inherit i; }; }) 60);
  list = [ { a = 1; } { b = 2; } ];
in
[
  set
  (builtins.removeAttrs set [ ])
  (builtins.removeAttrs set [ "z" ])
  (builtins.removeAttrs set [ "y" ])
  (builtins.intersectAttrs set set)
  (builtins.intersectAttrs { x = 1; y = 1; z = 1; } set)
  (set // { })
  ({ } // set)
  (builtins.mapAttrs (_: value: value) set)
  (builtins.intersectAttrs large large == large)
  (builtins.intersectAttrs { n1 = 1; } large)
  (builtins.removeAttrs (builtins.intersectAttrs { n1 = 1; n2 = 1; } large) [ "n3" ])
  list
  (builtins.filter (_: true) list)
  (builtins.concatLists [ list ])
  (builtins.concatLists [ [ ] list ])
  (list ++ [ ])
  (builtins.sort (_: _: false) list)
  (builtins.partition (_: true) list)
  (builtins.concatMap (x: [ x ]) list)
  (map (x: x) list)
]
