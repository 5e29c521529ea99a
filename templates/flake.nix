{
  description = "Templates of projects, for `firn flake init -t firn#NAME`";

  outputs =
    { self }:
    {
      templates = {
        default = self.templates.deb;
        typescript = {
          path = ./typescript;
          description = "A TypeScript project with Node.js and npm pinned by its package-lock.json";
          welcomeText = ''
            # A TypeScript project

            - `firn develop` starts a shell with Node.js and npm
            - `firn develop -c npm test` runs the tests
          '';
        };
        c = {
          path = ./c;
          description = "A C program, built with Debian's tool chain";
          welcomeText = ''
            # A C program

            - `firn build` builds it, `firn run` runs it
            - `firn develop` starts a shell with the compiler
          '';
        };
        rust = {
          path = ./rust;
          description = "A Rust program with its tests";
          welcomeText = ''
            # A Rust program

            - `firn build` builds it, `firn run` runs it
            - `firn develop -c cargo test` runs the tests
          '';
        };
        python = {
          path = ./python;
          description = "A Python program with its tests";
          welcomeText = ''
            # A Python program

            - `firn develop` starts a shell with Python, and `python3 -m venv` there makes an environment for packages of PyPI
            - `firn develop -c python3 -m unittest discover src` runs the tests
          '';
        };
        os = {
          path = ./os;
          description = "A machine of Debian packages in one configuration";
          welcomeText = ''
            # A machine of Firn

            - `firn os build-vm --flake .#firn` starts it in qemu
            - `firn os build-image --flake .#firn -o firn.img` makes a disk image of it
          '';
        };
        os-desktop = {
          path = ./os-desktop;
          description = "A desktop of Debian packages: Sway, PipeWire, NetworkManager, printing";
          welcomeText = ''
            # A desktop of Firn

            - `firn deb update` renews its packages, `firn deb add NAME` adds others to `debian.lock.json`
            - `firn os build-vm --flake .#desk` starts it in qemu
            - `firn os build-image --flake .#desk -o desk.img` makes a disk image of it
          '';
        };
        nixos-host = {
          path = ./nixos-host;
          description = "A NixOS machine";
          welcomeText = ''
            # A NixOS machine

            - `firn os generate-config --dir .` writes its hardware
            - `firn os build --flake .#nixos` builds it, `firn os switch --flake .#nixos` makes it so
          '';
        };
        deb = {
          path = ./deb;
          description = "A shell with Debian packages";
          welcomeText = ''
            # A shell with Debian packages

            Name them in `flake.nix`, then `firn develop`.
          '';
        };
      };
    };
}
