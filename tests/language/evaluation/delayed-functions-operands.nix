# What an operator looks at is no longer delayed, whatever it makes of it.
let
  left = x: x;
  right = x: x;
  asked = x: x;
  selected = x: x;
  both = x: x;
  untouched = x: x;
  inner =
    one:
    let
      two = x: x;
      three = x: x;
    in
    three: four: builtins.seq (left == 1) (builtins.seq (1 == right) (builtins.seq (two == one) [ one two three four ]));
  a = asked ? b;
  b = selected.b or 1;
in
builtins.seq a (builtins.seq b (builtins.seq (both == both) ([ left right ] ++ (inner (x: x) (x: x) untouched) ++ [ asked selected both untouched ])))
