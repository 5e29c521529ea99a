import <dir/a.nix>
