[ (import ./tree/sub/inner.nix) (import (./tree + "/sub/inner.nix")).value (import "${toString ./tree/sub/inner.nix}") (builtins.scopedImport { x = 1; } ./tree/sub/scoped.nix) ]
