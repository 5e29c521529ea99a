# As delayed-functions, with the parts forced.
let
  f = x: x;
  called = x: x;
  r = rec {
    g = x: x;
    h = called;
    k = f;
  };
in
builtins.seq (called 1) (builtins.seq r r)
