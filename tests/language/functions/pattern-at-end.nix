({ a ? 5, ... }@all: [ a all ]) { b = 1; }
