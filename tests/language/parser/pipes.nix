[ (1 |> (x: x + 1) |> toString) (toString <| 1 + 1) ([ 1 2 ] |> map (x: x * 2)) ]
