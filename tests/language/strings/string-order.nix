builtins.sort builtins.lessThan [ "b" "a" "B" "" "é" "aa" "~" ]
