[ (baseNameOf <a.nix>) (baseNameOf <d>) (import <d/a.nix>) ]
