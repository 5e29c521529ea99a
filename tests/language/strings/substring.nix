with builtins; [ (substring 0 3 "abcdef") (substring 2 100 "abc") (substring 3 1 "abc") (substring 1 (-1) "abc") (substring 0 0 "x") ]
