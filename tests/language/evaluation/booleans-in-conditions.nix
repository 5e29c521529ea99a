if (if true then false else true) then 1 else if 1 == 1 then 2 else 3
