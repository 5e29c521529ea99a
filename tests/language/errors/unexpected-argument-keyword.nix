({ abc }: abc) { "if" = 2; abc = 1; }
