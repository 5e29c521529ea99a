[ (builtins.match ".." "é") (builtins.match "(.)." "é" != null) (builtins.split "é" "aéb") ]
