"a ${x: x} b"
