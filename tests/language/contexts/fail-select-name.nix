{ }.${builtins.toFile "a" "b"}
