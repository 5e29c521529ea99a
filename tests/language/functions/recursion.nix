let fac = n: if n < 2 then 1 else n * fac (n - 1); in fac 20
