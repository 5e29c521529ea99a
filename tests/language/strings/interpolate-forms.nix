let s = { __toString = self: "S${self.v}"; v = "!"; }; o = { outPath = "O"; }; in [ "${s}" "${o}" "${"in"}" "a${"b${"c"}"}d" ]
