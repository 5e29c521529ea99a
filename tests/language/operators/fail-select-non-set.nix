1 .a or (1).a
