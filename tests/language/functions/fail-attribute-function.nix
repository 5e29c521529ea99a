let s = { bar = { a }: a; }; in s.bar { b = 1; }
