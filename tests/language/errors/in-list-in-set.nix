{ a = [ 1 { b = throw "here"; } ]; }
