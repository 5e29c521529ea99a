builtins.fetchTarball { url = "x"; rev = "1"; }
