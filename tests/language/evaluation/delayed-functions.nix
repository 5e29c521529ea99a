# Functions that are bound or passed are delayed like all else: what is printed without forcing tells which were wanted.
let
  f = x: x;
  called = x: x;
  tested = { a }: a;
  pass = y: [ y ];
  given = rec {
    g = x: x;
    h = g;
    i = called;
  };
in
builtins.seq (called 1) (
  builtins.seq (builtins.isFunction tested) [
    f
    called
    tested
    (pass (x: x))
    (builtins.seq given.g given)
    given
    (builtins.seq given given)
    { inherit f called; }
    (x: x)
  ]
)
