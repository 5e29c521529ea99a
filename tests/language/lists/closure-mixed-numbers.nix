map (x: x.key) (builtins.genericClosure {
  startSet = map (key: { inherit key; }) [ 1 3 1.0 2 2.5 3.0 2.5 ];
  operator = _: [ ];
})
