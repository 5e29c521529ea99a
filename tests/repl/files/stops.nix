let
  x = 5;
  f = { a, b ? 2 }: let c = a + b; in builtins.break (c + x);
  g = n: if n == 0 then throw "boom" else g (n - 1);
in {
  stop = f { a = x; };
  fails = g 2;
  caught = builtins.tryEval (g 1);
  traced = builtins.trace "hi" 3;
  warned = builtins.warn "careful" 4;
  around = with { w = 9; v = 1; }; builtins.seq w (builtins.break v);
}
