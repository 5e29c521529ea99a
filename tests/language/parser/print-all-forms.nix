let a = 1; b.c = "x${toString a}y"; inherit (b) c; in { x, y ? 2, ... }@z: with x; assert y == 2; if !a then [ 1 (-2) 1.5 ./p <n> ~/h ] else rec { q = z.w or 3; "r s" = t ? u.v; ${toString 1} = ''
  indented
''; inherit a b; } // { } ++ [ ] -> 1 < 2 && 3 >= 4 || 5 != 6
