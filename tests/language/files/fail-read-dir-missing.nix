builtins.readDir ./nothere
