builtins.fromTOML "a = 9223372036854775807\nb = -9223372036854775808\nc=0x7fffffffffffffff\nd=0o17\ne=0b101\nf=1_000"
