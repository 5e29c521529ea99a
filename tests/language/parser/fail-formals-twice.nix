{ b, a, a, b }: 1
