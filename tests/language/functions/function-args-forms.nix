map builtins.functionArgs [ (x: x) ({ }: 1) ({ a, b ? 1, ... }: 1) (a@{ c }: 1) builtins.add ]
