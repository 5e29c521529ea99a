builtins.match "[0-9]\\d" "12"
