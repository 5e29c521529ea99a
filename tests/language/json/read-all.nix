map builtins.fromJSON [ "null" "true" "[]" "{}" "[1,[2,{\"a\":[]}]]" "\"\\u00e9\\ud83d\\ude00\\n\\/\"" " 1 " "\"\"" "-1.5e-3" "{\"a\":1,\"a\":2}" ]
