[ (builtins.match "^a$" "a") (builtins.split "^a" "aa") (builtins.split "a$" "aa") (builtins.match "a^b" "a^b") ]
