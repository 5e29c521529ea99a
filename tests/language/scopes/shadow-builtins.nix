let map = 1; true = false; null = 2; in [ map true null ]
