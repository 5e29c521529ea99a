[ /a/b ./c/d ~/f a/b.nix ./a.b-c+d_e /. ./. ]
