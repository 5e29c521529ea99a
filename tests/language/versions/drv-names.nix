map builtins.parseDrvName [ "hello-1.2" "hello" "a-b-1" "x-pre1" "lib-2-c" "-1" "a-" "a--1" ]
