with builtins; [ (replaceStrings [ "a" "b" ] [ "b" "a" ] "aabb") (replaceStrings [ "" ] [ "-" ] "abc") (replaceStrings [ "ab" "a" ] [ "1" "2" ] "aab") (replaceStrings [ "" "a" ] [ "x" "y" ] "a") ]
