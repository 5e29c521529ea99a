if { a = [ 1 2 3 { b = "x"; } ]; f = x: x; long = "yyyyyyyyyyyyyyyyyyyy"; } then 1 else 2
