{ __functor = throw "fun"; } 1
