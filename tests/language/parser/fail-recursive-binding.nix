rec { a = 1; 3 }
