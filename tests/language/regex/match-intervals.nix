with builtins; [ (match "a{2}" "aa") (match "a{2,}" "aaa") (match "(ab){1,2}" "abab") (match "a{0,1}b" "b") ]
