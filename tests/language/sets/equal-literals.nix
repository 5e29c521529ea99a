# Each evaluation of a literal gives a set of its own; what one variable holds is one set.
let
  f = _: { a = 1; };
  id = x: x;
  one = { a = 1; };
in
[
  (f 1)
  (f 2)
  (id { a = 1; })
  (id { a = 1; })
  one
  { inherit one; }
  (one // { })
]
