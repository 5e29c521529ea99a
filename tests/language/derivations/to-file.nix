let f = builtins.toFile "n" "contents"; g = builtins.toFile "m" "see ${f}"; in [ f g (builtins.getContext g) ]
