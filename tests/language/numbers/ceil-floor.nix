with builtins; [ (ceil 1.2) (floor 1.8) (ceil (0.0 - 1.2)) (floor (0.0 - 1.2)) (ceil 3) (floor 1.0e15) ]
