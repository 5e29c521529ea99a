[ ''
    a
      b
   c
  '' ''	tab
	two'' ''

  x
'' ''x
   y'' '' '' ''
'' ]
