builtins.fromTOML "s = \"\"\"\nfirst\n  second \\\n     joined\"\"\"\nt = '''\nraw\\n'''\n"
