with builtins; [ (match "a\\.b" "a.b") (match "a\\.b" "axb") (match "\\(x\\)" "(x)") (split "\\+" "1+2") ]
