(throw "sel").a.b
