builtins.replaceStrings [ "a" "b" ] [ "x" (throw "unused") ] "aac"
