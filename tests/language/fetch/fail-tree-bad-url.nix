builtins.fetchTree "no url"
