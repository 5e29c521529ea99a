"tab\tnewline\nreturn\rquote\"backslash\\dollar\${x}other\q$x $${y}"
