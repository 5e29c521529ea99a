let x = 1; in with throw "no"; x
