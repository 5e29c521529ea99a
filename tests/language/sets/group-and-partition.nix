[ (builtins.groupBy toString [ 1 2 1 ]) (builtins.partition (x: x == 1) [ 1 2 1 ]) ]
