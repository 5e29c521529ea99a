[ (builtins.removeAttrs __curPos [ "file" ]) { p = __curPos.column; } ]
