builtins.fromTOML "a=true\nb=false"
