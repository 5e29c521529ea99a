[ (builtins.match "a.b" "a\nb") (builtins.match ".*" "a\nb") (builtins.split "\n" "a\nb\nc") ]
