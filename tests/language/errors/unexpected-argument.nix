({ alpha, beta ? 1 }: alpha) { alpha = 1; bta = 2; }
