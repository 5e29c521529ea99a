let
  f = x: x;
  g = x: x;
  show = a: builtins.trace a 1;
in
show [ f ] + show { inherit f; } + show (builtins.seq (g 1) [ g ]) + show rec { h = x: x; } + show f + [ f g ]
