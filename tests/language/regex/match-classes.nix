with builtins; map (match "[[:space:]]*([[:alpha:]_][[:alnum:]_]*)[[:space:]]*") [ " ab1 " "1a" "_x" ]
