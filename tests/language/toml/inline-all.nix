builtins.fromTOML "a={}\nb={c=1,d={e=2}}\nf=[{g=1},{g=2}]\nh=[[1,2],[\"a\",\"b\",],]\ni=[ # comment\n1,\n]\n"
