with builtins; [ (split "" "ab") (split "a*" "baac") (split "(b*)" "abb") ]
