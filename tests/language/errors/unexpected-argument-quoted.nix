let
  f = { abc }: abc;
in
map (argument: f argument) [
  {
    abc = 1;
    "a bc" = 2;
  }
]
