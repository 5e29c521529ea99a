{ foo = 1; fou = 2; fop = 3; }.fox
