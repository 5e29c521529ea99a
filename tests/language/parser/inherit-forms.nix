let a = 1; s = { b = 2; "c d" = 3; or = 4; }; in { inherit a; inherit (s) b "c d" or; inherit; inherit (s); }
