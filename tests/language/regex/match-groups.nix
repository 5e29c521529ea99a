with builtins; [ (match "a(b*)c" "abbc") (match "(a)|(b)" "b") (match "ab" "abc") (match ".*" "x
y") (match "" "") ]
