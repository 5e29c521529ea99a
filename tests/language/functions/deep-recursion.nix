let down = n: if n == 0 then "end" else down (n - 1); in down 5000
