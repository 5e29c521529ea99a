({ a ? 1, ... }@args: args) { b = 2; }
