builtins.toXML { "a<b" = "<&>\"'\n\t"; }
