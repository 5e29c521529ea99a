import ./tree
