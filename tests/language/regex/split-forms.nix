with builtins; [ (split "," "a,b,,c") (split "(,)" "a,b") (split "x" "abc") (split "([0-9]+)([a-z]?)" "a12b3") ]
