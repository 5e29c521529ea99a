builtins.substring 0 "a" "abc"
