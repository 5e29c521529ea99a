let n = "x"; in { ${n} = 1; "${n}y" = 2; ${null} = 3; "lit" = 4; a.${n}.b = 5; }
