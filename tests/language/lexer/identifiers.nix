let a' = 1; _b = 2; c-d = 3; e_1 = 4; in [ a' _b c-d e_1 ]
