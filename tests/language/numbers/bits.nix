[ (builtins.bitAnd (-1) 255) (builtins.bitOr (-256) 1) (builtins.bitXor (-1) 1) (builtins.bitAnd 4611686018427387904 (-1)) (builtins.bitXor 9223372036854775807 (-1)) ]
