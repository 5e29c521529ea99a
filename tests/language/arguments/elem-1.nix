builtins.elem (throw "x") [ 1 ]
