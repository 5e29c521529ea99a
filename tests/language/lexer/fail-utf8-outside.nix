let ä = 1; in 2
