{ version = 1; name = 2; }.versoin
