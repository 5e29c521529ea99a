builtins.filterSource (p: t: baseNameOf p != "sub") ./tree
