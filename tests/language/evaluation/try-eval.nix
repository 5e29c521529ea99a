with builtins; [ (tryEval (throw "x")) (tryEval 1) (tryEval (assert false; 1)) (tryEval [ (throw "inside") ]).success ]
