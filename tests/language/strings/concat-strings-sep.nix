with builtins; [ (concatStringsSep ", " [ "a" "b" ]) (concatStringsSep "x" []) (concatStringsSep "" [ "a" "b" ]) ]
