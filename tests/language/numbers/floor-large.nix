[ (builtins.floor 9.2e18) (builtins.ceil (-9.2e18)) (builtins.floor (-0.5)) (builtins.ceil (-0.5)) (builtins.floor 9007199254740992) ]
