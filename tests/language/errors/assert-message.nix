assert (let x = 1; in x) == 2 && true; 1
