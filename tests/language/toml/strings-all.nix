builtins.fromTOML "a=\"x\\ty\\u00e9\\U0001F600\"\nb='c:\\d'\nc=\"\"\"\nfirst\\\n   second\n\"quoted\"\" \"\"\"\nd='''\nraw \\n'''"
