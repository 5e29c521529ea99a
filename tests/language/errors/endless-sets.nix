let
  sets = n: { inner = sets (n + 1); };
in
builtins.deepSeq (sets 0) 1
