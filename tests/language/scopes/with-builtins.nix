with builtins; [ (length [ 1 ]) (isList { }) ]
