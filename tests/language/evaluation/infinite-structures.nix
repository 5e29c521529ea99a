let x = { a = 1; next = x; }; in x.next.next.next.a
