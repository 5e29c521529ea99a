builtins.fromJSON ''{"a": [1, 1.0, 1e2, -3, "x\u00e9\ud83d\ude00\/", null, true], "b": {}, "": 5, "a": 2}'' 
