({ a ? b, b ? 1, c ? a + b }@args: [ a b c args ]) { }
