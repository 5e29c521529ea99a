{ __functor = self: self; } 0
