with builtins; [ (match "((a)|b)*" "ab") (match "(a|ab)(c|bcd)(d*)" "abcd") (match "(x?)*" "xx") ]
