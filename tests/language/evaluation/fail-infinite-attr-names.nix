let s = { ${s.x} = 1; x = "y"; }; in s
