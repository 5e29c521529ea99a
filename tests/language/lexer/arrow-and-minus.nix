[ (1 - -1) (true -> false) (1-1) ]
