map builtins.splitVersion [ "" "." "1..2" "1.a.b2" "1-2_3" "pre" ]
