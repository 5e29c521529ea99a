let
  sets = n: rec { ${"inner"} = [ { a = sets (n + 1); } ]; };
in
builtins.deepSeq (sets 0) 1
