builtins.fromTOML ''
  a = 1
  b = "x\ty"
  c = 'lit\n'
  d = [1, 2, [3]]
  e = { f = 1.5, g.h = true }
  hex = 0xff
  oct = 0o17
  bin = 0b101
  big = 1_000
  neg = -17
  exp = 1e3
''
