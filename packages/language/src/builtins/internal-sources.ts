/** The few parts of the library that are simplest in the language itself. */
import { flakeOfTreeFile } from "../code/applications.ts";

/** Source of `derivation`: one set per output around `derivationStrict`; everything stays lazy but the list of outputs. */
export const derivationSource = `drvAttrs @ { outputs ? [ "out" ], ... }:
let
  strict = derivationStrict drvAttrs;
  perOutput = map (outputName: {
    name = outputName;
    value = common // {
      outPath = builtins.getAttr outputName strict;
      drvPath = strict.drvPath;
      type = "derivation";
      inherit outputName;
    };
  }) outputs;
  common = drvAttrs // builtins.listToAttrs perOutput // {
    all = map (output: output.value) perOutput;
    inherit drvAttrs;
  };
in (builtins.head perOutput).value
`;

/** Source of the value that `import` of a store derivation returns. */
export const importedDerivationSource = `attrs @ { drvPath, outputs, name, ... }:
let
  perOutput = map (outputName: {
    name = outputName;
    value = common // {
      outPath = builtins.getAttr outputName attrs;
      inherit outputName;
    };
  }) outputs;
  common = builtins.listToAttrs perOutput // {
    all = map (output: output.value) perOutput;
    inherit drvPath name;
    type = "derivation";
  };
in (builtins.head perOutput).value
`;

/** Source of `<nix/fetchurl.nix>`: a fixed-output derivation that the built-in downloader runs. */
export const fetchurlSource = `{
  system ? "",
  url,
  hash ? "",
  md5 ? "",
  sha1 ? "",
  sha256 ? "",
  sha512 ? "",
  outputHash ? if hash != "" then hash else if sha512 != "" then sha512 else if sha1 != "" then sha1 else if md5 != "" then md5 else sha256,
  outputHashAlgo ? if hash != "" then "" else if sha512 != "" then "sha512" else if sha1 != "" then "sha1" else if md5 != "" then "md5" else "sha256",
  executable ? false,
  unpack ? false,
  name ? baseNameOf (toString url),
  impure ? false,
}:
derivation ({
  builder = "builtin:fetchurl";
  outputHashMode = if unpack || executable then "recursive" else "flat";
  inherit name url executable unpack;
  system = "builtin";
  preferLocalBuild = true;
  impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
  urls = [ url ];
} // (if impure then { __impure = true; } else { inherit outputHashAlgo outputHash; }))
`;

/**
 * Source of the function that makes a flake of a tree: of its facts, its path, the place where its files are read, and its inputs. A flake without
 * inputs depends on nothing else, and is given none.
 */
const flakeOfTreeSource = `{ sourceInfo, outPath, place, inputs ? { } }:
let
  flake = import (place + "/flake.nix");
  outputs = flake.outputs (inputs // { self = result; });
  result =
    outputs
    # The tree's attributes describe the flake too; its own outputs do not hide them.
    // sourceInfo
    // {
      inherit outPath inputs outputs sourceInfo;
      _type = "flake";
    };
in assert builtins.isFunction flake.outputs; result
`;

/** Returns the source of a file that is a part of the program; undefined for all others. */
export function internalSource(file: string): string | undefined {
  return file === flakeOfTreeFile ? flakeOfTreeSource : undefined;
}
