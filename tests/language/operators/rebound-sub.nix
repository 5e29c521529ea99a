let __sub = a: b: "subbed"; in 1 - 2
