{ } or 1
