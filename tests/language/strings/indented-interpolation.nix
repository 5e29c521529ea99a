let x = "line"; in ''
    ${x}
      ${x}
  ''
