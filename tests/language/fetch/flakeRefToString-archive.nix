[ (builtins.flakeRefToString { type = "tarball"; url = "https://a/b"; }) (builtins.flakeRefToString { type = "file"; url = "https://a/b.tar.gz"; }) ]
