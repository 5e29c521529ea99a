(import <nix/fetchurl.nix> { url = "https://example.org/a.tar"; sha256 = "0000000000000000000000000000000000000000000000000000"; }).drvPath
