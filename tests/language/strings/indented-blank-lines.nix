''

    a

      b
   
    c
  ''
