map (t: builtins.hashFile t ./file.nix == builtins.hashString t (builtins.readFile ./file.nix)) [ "md5" "sha1" "sha256" "sha512" ]
