[ (builtins.match "((a)|(b))*" "ab") (builtins.match "(a)?(b)?" "b") (builtins.match "()" "") (builtins.match "((a)(b))" "ab") (builtins.match "(a*)*" "aa") (builtins.match "(a|b)*c" "abac") ]
