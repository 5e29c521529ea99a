map builtins.parseDrvName [ "a-1" "a-b-1.2" "a" "a-" "a-b" "-1" "a-1-b-2" "a--1" "a-.1" "" ]
