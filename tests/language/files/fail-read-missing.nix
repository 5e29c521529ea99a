builtins.readFile ./nothere
