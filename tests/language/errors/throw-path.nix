throw ./x
