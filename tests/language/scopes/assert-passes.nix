assert 1 < 2; assert true -> true; "ok"
