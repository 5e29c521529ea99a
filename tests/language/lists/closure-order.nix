map (x: x.key) (builtins.genericClosure { startSet = [ { key = 1; } { key = 10; } ]; operator = { key }: if key < 4 then [ { key = key * 2; } { key = key + 1; } ] else [ ]; })
