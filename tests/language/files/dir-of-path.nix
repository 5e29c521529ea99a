[ (dirOf ./tree/plain.txt == ./tree) (baseNameOf ./tree) (dirOf "a/b/") (dirOf "/") (dirOf "/a") (baseNameOf "a/b/") (baseNameOf "/") (baseNameOf "") ]
