({ version, name }: 1) { versoin = 1; name = 2; }
