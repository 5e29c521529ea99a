{ a = throw "inside"; b = 2; }
