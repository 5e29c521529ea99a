builtins.fromTOML ''
  top = 1
  [a.b]
  x = 1
  [a.c]
  y = 2
  [[list]]
  n = 1
  [[list]]
  n = 2
  [list.sub]
  z = 3
''
