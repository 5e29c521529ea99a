map builtins.splitVersion [ "1.2.3" "1.2pre4-5" "" "a-b" "10" "1..2" ]
