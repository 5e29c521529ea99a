builtins.fetchClosure { fromStore = "file:///x"; fromPath = "/nix/store/r2jd6ygnmirm2g803mksqqjm4y39yi6i-git-2.33.1"; }
