[ (builtins.match "(a|ab)(c|bcd)(d*)" "abcd") (builtins.match "(a*)(ab)*(b*)" "abb") (builtins.split "a|ab|abc" "xabcx") (builtins.match "(foo|foobar)(bar)?" "foobar") ]
