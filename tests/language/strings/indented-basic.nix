''
  first
    second
  third
''
