builtins.fetchTarball { url = "http://127.0.0.1:1/x"; name = "/"; }
