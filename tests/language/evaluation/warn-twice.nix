let w = builtins.warn "once per evaluation of it" 1; in w + w
