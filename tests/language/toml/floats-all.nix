builtins.fromTOML "a=1.5\nb=-0.0\nc=1e3\nd=6.626e-34\ne=inf\nf=-inf\ng=1_0.0_1"
