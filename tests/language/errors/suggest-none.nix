{ completely = 1; }.different
