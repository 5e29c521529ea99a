with builtins; [ (match "[]a]+" "]a]") (match "[^]]+" "ab") (match "[a-c.-]+" "a.-c") (match "[\\]+" "\\\\") ]
