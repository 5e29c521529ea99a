# The values of files by their names, as the expressions that nix-env reads by default have them.
paths: builtins.mapAttrs (_: path: import path) paths // { _combineChannels = [ ]; }
