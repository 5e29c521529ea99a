# Functions are equal when they are one and the same value: variables share it, other delayed expressions copy it.
let
  function = x: x;
  curried = x: y: x;
  set = {
    inherit function;
    own = x: x;
    partial = curried 1;
  };
  identity = x: x;
  wrap = x: [ x ];
  selected = set.own;
  applied = builtins.sub 1;
in
{
  shared = {
    variable = [ function ] == [ function ];
    argument = wrap function == wrap function;
    inherited = let inherit (set) own; in [ own ] == [ own ];
    other-name = let name = function; in [ name ] == [ function ];
    whole-set = set == set;
    updated = set == set // { };
    pattern = ({ f }: [ f ]) { f = function; } == [ function ];
    default = ({ f ? function }: [ f ]) { } == [ function ];
    list-builtins = [
      (builtins.filter (x: true) [ function ] == [ function ])
      ([ function ] ++ [ ] == [ function ])
      (builtins.concatMap wrap [ function ] == [ function ])
      (builtins.tail [ 1 function ] == [ function ])
      (builtins.elem function [ function ])
    ];
    set-builtins = [
      (builtins.attrValues { f = function; } == [ function ])
      (builtins.listToAttrs [ { name = "f"; value = function; } ] == { f = function; })
      (builtins.catAttrs "f" [ { f = function; } ] == [ function ])
      (builtins.removeAttrs set [ "own" ] == builtins.removeAttrs set [ "own" ])
      (builtins.zipAttrsWith (name: values: values) [ { f = function; } ] == { f = [ function ]; })
    ];
    builtin = [ map ] == [ map ];
    applied = [ applied ] == [ applied ];
    selected = [ selected ] == [ selected ];
    mapped-list = let mapped = map identity [ function ]; in mapped == mapped;
  };
  copied = {
    direct = function == function;
    selections = [ set.own ] == [ set.own ];
    selections-forced = builtins.seq set.own ([ set.own ] == [ set.own ]);
    selected = [ selected ] == [ set.own ];
    selected-argument = wrap set.own == wrap set.own;
    inherited = { inherit (set) own; } == { inherit (set) own; };
    with-variable = (with set; [ own ]) == (with set; [ own ]);
    call = [ (identity function) ] == [ function ];
    branch = [ (if true then function else null) ] == [ function ];
    asserted = [ (assert true; function) ] == [ function ];
    alternative = [ (set.missing or function) ] == [ function ];
    partial = [ (curried 1) ] == [ (curried 1) ];
    builtin = [ builtins.map ] == [ builtins.map ];
    applied-builtin = [ (builtins.sub 1) ] == [ (builtins.sub 1) ];
    mapped = map identity [ function ] == [ function ];
    mapped-set = builtins.mapAttrs (name: value: value) set == set;
    generated = builtins.genList (x: function) 1 == [ function ];
    element = [ (builtins.elemAt [ function ] 0) ] == [ function ];
    is-element = builtins.elem set.own [ set.own ];
    intersected = builtins.intersectAttrs { own = 1; } set == { inherit (set) own; };
  };
}
