{ a = throw "deep"; } == { a = 1; }
