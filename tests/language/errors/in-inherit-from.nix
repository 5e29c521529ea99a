{ inherit (throw "from") a; }.a
