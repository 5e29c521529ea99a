[ (builtins.split "" "ab") (builtins.split "b*" "abc") (builtins.split "(x)?" "ab") (builtins.split "a" "") (builtins.split "," ",a,") ]
