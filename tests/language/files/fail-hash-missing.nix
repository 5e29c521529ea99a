builtins.hashFile "md5" ./nothere
