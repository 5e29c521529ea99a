let x = 1; in rec { inherit x; y = x + 1; z = { x = 5; w = x; }; }
