[ (builtins.match "a{2}" "aa") (builtins.match "a{2,}" "aaaa") (builtins.match "a{1,2}" "aaa") (builtins.match "(ab){2}" "abab") (builtins.match "a{0}" "") (builtins.match "(a?){3}" "aa") ]
