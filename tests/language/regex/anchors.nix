with builtins; [ (split "^a" "aab") (split "b$" "abb") (match "^ab$" "ab") ]
