{ } // (throw "upd")
