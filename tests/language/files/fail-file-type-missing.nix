builtins.readFileType ./nothere
