[ ({ a = throw "x"; b = 1; } == { b = 1; }) ([ (throw "x") ] == [ ]) ]
