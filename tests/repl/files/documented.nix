{
  /**
    Adds *one* to `x`.

    # Example

    ```nix
    f 1
    => 2
    ```

    - item one
    - item two which is quite long and will have to be wrapped because it goes beyond the sixty columns

    1. first
    2. second

    See [the manual](https://nixos.org/manual) for **more** _info_. This line is quite long and will have to be wrapped somewhere.
  */
  f = x: x + 1;
  /** Short */
  g = x: y: x + y;
  # not doc
  h = x: x;
  /** attr doc */
  k = 1;
  l = /** inner */ x: x;
  /** outer */
  m = /** inner wins */ x: /** second */ y: x;
  n = { __functor = self: /** functor doc */ x: x; };
  /** set pattern */
  o = { a, b ? 1 }@args: a;
  p = a:
    /** for b */
    b: a;
  /** not adjacent */
  # comment between
  q = x: x;
  /**
     weird
       indent
    less
  */
  r = x: x;
  /***/
  s = x: x;
  /** */
  t = x: x;
  u = { v = /** nested */ x: x; };
  inherit (builtins) map;
  w = map;
  /** parens */
  aa = (x: x);
  /** let */
  ab = let y = 1; in x: x;
  /** builtin here */
  ac = builtins.add;
  ad = builtins.add 1;
}
