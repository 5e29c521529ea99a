/**
 * Warm-up of the JavaScript engine before a long evaluation: every kind of expression, with operands of every kind. The
 * engine compiles the interpreter for the cases seen so far and discards that when a new case occurs; without the warm-up it
 * does so some thirty times, going back to its slowest form each time.
 */

/**
 * An expression to be forced deeply. It calls nothing of the host. Its names end in `'0`, as no program's do: sets are walked
 * in the order in which names became known, and that has to be the program's.
 */
export const warmUp = `let
  n'0 = 7; f'0 = 1.5; s'0 = "text'0"; t'0 = true; u'0 = false; z'0 = null;
  p'0 = ./x/y; l'0 = [ 1 2 n'0 ]; big'0 = 9007199254740991;
  rest'0 = args'0: args'0;
  a1'0 = a'0: a'0 + 1;
  a2'0 = a'0: b'0: a'0 + b'0;
  a3'0 = a'0: b'0: c'0: if a'0 < b'0 then b'0 else c'0;
  a4'0 = a'0: b'0: c'0: d'0: [ a'0 b'0 c'0 d'0 (x'0: x'0 + d'0) (y'0: [ a'0 b'0 c'0 d'0 y'0 ]) ];
  a5'0 = a'0: b'0: c'0: d'0: e'0: { inherit a'0 b'0 c'0 d'0 e'0; g'0 = x'0: a'0 + e'0; };
  pat'0 = { a'0, b'0 ? a'0 + 1, c'0 ? "c", ... }@all'0: all'0 // { sum'0 = a'0 + b'0; inherit c'0; };
  pat1'0 = { a'0 }: a'0;
  pat2'0 = { a'0, b'0 }: y'0: a'0 + b'0 + y'0;
  pat6'0 = { a'0, b'0, c'0, d'0, e'0, f'0 ? 6, ... }: [ a'0 b'0 c'0 d'0 e'0 f'0 ];
  many'0 = x1'0: x2'0: x3'0: x4'0: x5'0: x6'0: x1'0 + x6'0;
  fn'0 = { __functor = self: x'0: x'0 + self.k'0; k'0 = 3; };
  deep'0 = { a'0.b'0.c'0 = 1; a'0.b'0.d'0 = { e'0 = n'0; }; "q r'0" = 2; \${s'0} = 3; \${z'0} = 4; };
  re'0 = rec { a'0 = b'0 + 1; b'0 = c'0; c'0 = 2; d'0 = { inherit a'0; x'0 = [ a'0 b'0 ]; }; e'0 = y'0: y'0 + c'0; };
  re1'0 = rec { a'0 = 1; }; re2'0 = rec { a'0 = 1; b'0 = a'0; };
  six'0 = rec { a'0 = 1; b'0 = a'0; c'0 = b'0; d'0 = c'0; e'0 = d'0; f'0 = e'0; g'0 = _'0: [ a'0 b'0 c'0 d'0 e'0 f'0 ]; };
  ctx'0 = builtins.appendContext "x" { };
  bases'0 = [ deep'0 { } { a'0 = 1; } { a'0 = { }; } (pat'0 { a'0 = 1; }) ];
  # Variables of environments of every size, through environments of every size.
  go'0 = f'0: v'0: if builtins.isList f'0 then map (g'0: go'0 g'0 v'0) f'0 else if builtins.isFunction f'0 then go'0 (f'0 v'0) v'0 else f'0;
  small'0 = a'0: [ (b'0: [ (c'0: [ a'0 b'0 c'0 (d'0: [ a'0 b'0 c'0 d'0 (e'0: [ a'0 b'0 c'0 d'0 e'0 (f'0: [ a'0 b'0 c'0 d'0 e'0 f'0 ]) ]) ]) ]) ]) ];
  pairs'0 = a'0: a''0: [ (b'0: b''0: [ a'0 a''0 (c'0: c''0: [ a'0 a''0 b'0 b''0 (d'0: d''0: [ a'0 a''0 b'0 b''0 c'0 c''0 (e'0: e''0: [ a'0 a''0 b'0 b''0 c'0 c''0 d'0 d''0 e'0 e''0 ]) ]) ]) ]) ];
  triples'0 = a'0: _'0: z'0: [ (b'0: _'0: y'0: [ a'0 z'0 (c'0: _'0: x'0: [ a'0 z'0 b'0 y'0 (d'0: _'0: w'0: [ a'0 z'0 b'0 y'0 c'0 x'0 (e'0: _'0: v'0: [ a'0 z'0 b'0 y'0 c'0 x'0 d'0 w'0 e'0 v'0 ]) ]) ]) ]) ];
  large'0 = a'0: [ (let q'0 = a'0; r'0 = a'0; s'0 = a'0; t'0 = a'0; u'0 = r'0; in [ q'0 u'0 (b'0: [ u'0 (let k'0 = u'0; l'0 = s'0; m'0 = q'0; n'0 = b'0; o'0 = a'0; in [
    k'0 o'0 q'0 u'0 (c'0: [ k'0 o'0 q'0 u'0 (let k1'0 = k'0; k2'0 = u'0; k3'0 = q'0; k4'0 = o'0; k5'0 = c'0; in [ k5'0 (d'0: [ k5'0 k'0 o'0 q'0 u'0 (e'0: [ k5'0 o'0 u'0 d'0 ]) ]) ]) ]) ]) ]) ]) ];
  mixed'0 = [
    (a'0: [ (b'0: b''0: [ (c'0: _'0: c''0: [ (let q'0 = a'0; r'0 = b'0; s'0 = b''0; t'0 = c'0; u'0 = c''0; in [ q'0 u'0 a'0 b''0 c''0 (d'0: [ u'0 a'0 b''0 c'0 c''0 (e'0: [ q'0 a'0 b'0 c'0 u'0 d'0 (f'0: [ u'0 a'0 b''0 c''0 e'0 ]) ]) ]) ]) ]) ]) ])
    (b'0: b''0: [ (c'0: _'0: c''0: [ (let q'0 = b'0; r'0 = b'0; s'0 = b''0; t'0 = c'0; u'0 = c''0; in [ (a'0: [ u'0 a'0 b''0 c'0 c''0 (d'0: [ q'0 a'0 b'0 c'0 u'0 d'0 (f'0: [ u'0 a'0 b''0 c''0 d'0 ]) ]) ]) ]) ]) ])
    (c'0: _'0: c''0: [ (let q'0 = c'0; r'0 = c'0; s'0 = c''0; t'0 = c'0; u'0 = c''0; in [ (a'0: [ (b'0: b''0: [ u'0 a'0 b''0 c'0 c''0 (d'0: d''0: [ q'0 a'0 b'0 c'0 u'0 d'0 (f'0: [ u'0 a'0 b''0 c''0 d''0 ]) ]) ]) ]) ]) ])
    (x'0: let q'0 = x'0; r'0 = x'0; s'0 = x'0; t'0 = x'0; u'0 = x'0; in [ (a'0: [ (b'0: b''0: [ (c'0: _'0: c''0: [ u'0 a'0 b''0 c'0 c''0 (d'0: _'0: d''0: [ q'0 a'0 b'0 c'0 u'0 d'0 (f'0: [ u'0 a'0 b''0 c''0 d''0 ]) ]) ]) ]) ]) ])
    (a'0: [ (let q'0 = a'0; r'0 = a'0; s'0 = a'0; t'0 = a'0; u'0 = a'0; in [ (c'0: _'0: c''0: [ (b'0: b''0: [ u'0 a'0 b''0 c'0 c''0 (let d'0 = a'0; d2'0 = b'0; d3'0 = c'0; d4'0 = a'0; d5'0 = b'0; in [ u'0 a'0 b''0 c'0 c''0 (f'0: [ u'0 a'0 b''0 c''0 d5'0 ]) ]) ]) ]) ]) ])
  ];
  one'0 = i'0: [
    (a1'0 i'0) (a2'0 i'0 i'0) (a2'0 i'0) (map (a2'0 i'0) [ 1 2 ]) (a3'0 1 i'0 3) (a3'0 s'0 (s'0 + "x") z'0) (a4'0 1 2 3 i'0) (a5'0 1 2 3 4 i'0)
    (map (a3'0 1 2) [ i'0 ]) (map (x'0: x'0 3) (map (a3'0 1) [ i'0 ])) (map (x'0: x'0 i'0) [ a1'0 fn'0 (a2'0 1) (builtins.add 1) builtins.typeOf rest'0 ])
    (pat'0 { a'0 = i'0; }) (pat'0 { a'0 = i'0; b'0 = 1; d'0 = 5; }) (pat1'0 { a'0 = i'0; }) (pat2'0 { a'0 = 1; b'0 = 2; } i'0) (many'0 1 2 3 4 5 i'0)
    (pat6'0 { a'0 = 1; b'0 = 2; c'0 = 3; d'0 = 4; e'0 = i'0; }) (fn'0 i'0) (builtins.elemAt l'0 1) (builtins.substring 0 1 s'0)
    (deep'0.a'0.b'0.c'0 or i'0) (deep'0.a'0.b'0.d'0.e'0) (deep'0.x'0 or i'0) (deep'0.x'0.y'0 or s'0) (deep'0 ? a'0) (deep'0 ? a'0.b'0.x'0) (deep'0 ? \${s'0}) (deep'0.\${s'0}) (l'0 ? a'0)
    (map (b'0: b'0.a'0 or i'0) bases'0) (map (b'0: b'0.a'0.b'0 or i'0) bases'0) (map (b'0: b'0 ? a'0) bases'0) (map (b'0: b'0 ? a'0.b'0) bases'0) (map (b'0: b'0 // { z'0 = i'0; }) bases'0)
    (map (b'0: b'0 == deep'0) bases'0) (map (b'0: b'0 != { }) bases'0) (map (b'0: { q'0 = i'0; } // b'0) bases'0)
    re'0.d'0 re'0.e'0 (re'0.e'0 i'0) re1'0.a'0 re2'0.b'0 (six'0.g'0 i'0) six'0.f'0 { } [ ] __curPos
    { x'0 = i'0; y'0 = a1'0 i'0; inherit n'0 s'0; z'0 = [ i'0 ]; w'0 = x'0: x'0 + i'0; v'0 = l'0; inherit (deep'0) a'0; inherit (six'0) b'0 c'0; }
    { x'0 = 1; y'0 = "s"; }
    { \${s'0 + "x"} = i'0; k'0 = i'0; }
    (with deep'0; [ a'0 i'0 (with six'0; b'0) ]) (with six'0; with deep'0; a'0) (let x'0 = i'0; in x'0 + 1) (let x'0 = i'0; y'0 = x'0; in [ x'0 y'0 (q'0: x'0) ])
    (let x'0 = i'0; y'0 = x'0; w'0 = y'0; in w'0) (let x'0 = i'0; y'0 = x'0; w'0 = y'0; v'0 = w'0; in v'0) (let x'0 = i'0; y'0 = x'0; w'0 = y'0; v'0 = w'0; k'0 = v'0; in k'0)
    (if i'0 < 3 then i'0 else f'0) (if t'0 && i'0 > 2 || u'0 then 1 else 2) (if !(i'0 == 3) then 1 else 2) (t'0 -> u'0) (u'0 -> t'0) (assert i'0 >= 0; i'0) (assert t'0; s'0)
    (i'0 - 1) (i'0 * 2) (i'0 / 2) (f'0 + i'0) (i'0 + f'0) (f'0 - 1) (f'0 * 2) (f'0 / 2) (big'0 - i'0) (big'0 * 2 / 2) (i'0 < f'0) (f'0 < i'0) (s'0 < "u") (l'0 < [ 1 3 ]) (p'0 < p'0) (-i'0) (i'0 <= 2) (i'0 >= 2)
    (i'0 == f'0) (f'0 == f'0) (s'0 == "text'0") (s'0 != "t") (p'0 == p'0) (l'0 == [ 1 2 7 ]) (z'0 == null) (t'0 == u'0) (deep'0 == re'0) (a1'0 == a1'0) (ctx'0 == s'0)
    "\${s'0}" "\${s'0}-\${toString i'0}" "x\${s'0}y\${ctx'0}" (s'0 + "x") (ctx'0 + s'0) (s'0 + ctx'0) (p'0 + "/z") (p'0 + "/\${s'0}") ./x/\${s'0}/y ''
      a \${s'0}
    ''
    (l'0 ++ [ i'0 ]) ([ ] ++ l'0) (l'0 ++ [ ]) ([ i'0 ] ++ [ i'0 ] ++ l'0)
    (toString [ 1 s'0 i'0 t'0 f'0 z'0 p'0 ]) (toString { outPath = s'0; }) (toString { __toString = self: s'0; })
    (map (x'0: x'0 + i'0) l'0) (builtins.filter (x'0: x'0 < i'0) l'0) (builtins.foldl' (a'0: b'0: a'0 + b'0) 0 l'0) (builtins.genList (x'0: x'0 + i'0) 3) (builtins.all (x'0: x'0 > i'0) l'0)
    (builtins.mapAttrs (name: value: value) six'0) (builtins.attrNames six'0) (builtins.attrValues re1'0) (builtins.removeAttrs six'0 [ "a'0" ]) (builtins.intersectAttrs six'0 re'0)
    (builtins.listToAttrs [ { name = s'0; value = i'0; } ]) (builtins.concatMap (x'0: [ x'0 i'0 ]) l'0) (builtins.concatLists [ l'0 l'0 ]) (builtins.concatStringsSep "," [ s'0 s'0 ])
    (builtins.hasAttr s'0 deep'0) (builtins.getAttr s'0 deep'0) (builtins.isAttrs i'0) (builtins.isString s'0) (builtins.isFunction a1'0) (builtins.length l'0) (builtins.elem i'0 l'0)
    (builtins.sort (a'0: b'0: a'0 < b'0) [ 3 1 i'0 ]) (builtins.zipAttrsWith (n'0: v'0: v'0) [ six'0 re'0 ]) (builtins.functionArgs pat'0) (builtins.head l'0) (builtins.tail l'0)
    (builtins.replaceStrings [ "e" ] [ s'0 ] s'0) (builtins.stringLength s'0) (builtins.match "t(.*)" s'0) (builtins.split "e" s'0) (builtins.toJSON { inherit i'0 s'0 l'0 t'0 z'0 f'0; })
    (builtins.seq i'0 s'0) (builtins.tryEval (assert u'0; i'0)) (builtins.groupBy (x'0: toString x'0 + "g'0") l'0) (builtins.catAttrs "a'0" bases'0)
    (go'0 [ small'0 pairs'0 triples'0 large'0 mixed'0 ] i'0)
    (let x'0 = y'0: if y'0 < 1 then 0 else x'0 (y'0 - 1); in x'0 i'0) (let x'0 = y'0: z'0: if y'0 < 1 then z'0 else x'0 (y'0 - 1) (z'0 + y'0); in x'0 i'0 0)
  ];
in
builtins.map one'0 [ 0 1 2 3 1.5 ]
`;
