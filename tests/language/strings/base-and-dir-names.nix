with builtins; [ (baseNameOf "/a/b/") (baseNameOf "") (baseNameOf "/") (baseNameOf "a//") (dirOf "/a/b") (dirOf "a") (dirOf "/a") (dirOf "a/b/") (baseNameOf /x/y) (dirOf /x/y) ]
