let x = "dir"; in [ ./${x}/file ./a${x}b /root/${x} ]
